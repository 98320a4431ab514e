package page

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

// What a server sends under /static is byte for byte what lies in the tree, of which a release
// publishes the hashes.
func TestStaticIsAsItLies(t *testing.T) {
	entries, err := os.ReadDir("static")
	if err != nil {
		t.Fatal(err)
	}
	pages := &Pages{static: map[string]asset{}}
	if err := pages.readStatic(); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /static/{file}", pages.serveStatic)
	for _, e := range entries {
		want, err := os.ReadFile(filepath.Join("static", e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/static/"+e.Name(), nil))
		if w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), want) {
			t.Errorf("/static/%s: %d, and %d bytes of %d", e.Name(), w.Code, w.Body.Len(),
				len(want))
		}
	}
}
