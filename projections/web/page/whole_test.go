package page

import (
	"html/template"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"muster/projections/web"
)

// A page is whole or there is none: one that would be too long for a browser is refused, and
// nothing of it is sent.
func TestPageTooLong(t *testing.T) {
	p := &Pages{Config: Config{Service: &web.Service{Bites: new(web.Bites)}},
		templates: func() (map[string]*template.Template, error) {
			list, err := template.New("page").Parse(`{{range .}}{{.}}{{end}}`)
			return map[string]*template.Template{"list": list}, err
		}}
	rows := make([]string, 9)
	for i := range rows {
		rows[i] = strings.Repeat("a", web.MaxPageBody/8)
	}
	f := &frame{ctx: t.Context()}
	w := httptest.NewRecorder()
	p.write(w, f, http.StatusOK, "list", rows[:8])
	if w.Code != http.StatusOK || w.Body.Len() != web.MaxPageBody {
		t.Errorf("as long as a page may be: %d, %d bytes", w.Code, w.Body.Len())
	}
	w = httptest.NewRecorder()
	p.write(w, f, http.StatusOK, "list", rows)
	if w.Code != errTooLong.Kind.Status || w.Body.String() != errTooLong.Detail+"\n"+
		errTooLong.Hint+"\n" {
		t.Errorf("longer: %d, %d bytes: %.200s", w.Code, w.Body.Len(), w.Body)
	}
	if n := p.Service.Bites.Budget.Load(); n != 1 {
		t.Errorf("%d were counted", n)
	}
}
