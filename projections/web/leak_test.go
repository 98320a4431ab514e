package web

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"muster/events"
)

// What is withheld of a ledger from each of its readers, and a server of the same ledger in which
// it was never said.
type withheld struct {
	view   events.View
	reads  []bool // each record
	server *testServer
}

func (c confidence) withheldFrom(t *testing.T) (all []withheld) {
	for reader, view := range map[string]events.View{"P": events.PublicView,
		"C": events.CoalitionView, "F": "FRA", "B": "GBR"} {
		w := withheld{view: view, server: newServer(t, c.unsaid(reader))}
		for _, reads := range c.read {
			w.reads = append(w.reads, strings.Contains(reads, reader))
		}
		all = append(all, w)
	}
	return all
}

// told is an answer without what only tells for whom it was made.
func (w withheld) told(body string) string {
	body = strings.ReplaceAll(body, fmt.Sprintf(`,"view":%q`, w.view), "")
	body = strings.ReplaceAll(body, fmt.Sprintf(`"view":%q,`, w.view), "")
	body = withoutColumn(body, w.view)
	body = strings.ReplaceAll(body, "-"+string(w.view)+csvSuffix, csvSuffix) // the name of a file
	return strings.ReplaceAll(body, "view="+string(w.view), "view=")
}

// withoutColumn is a list as CSV without the column that says for whom it was made.
func withoutColumn(body string, view events.View) string {
	head, rows, _ := strings.Cut(body, "\n")
	if head, has := strings.CutSuffix(head, ",view"); has {
		return head + "\n" + strings.ReplaceAll(rows, ","+string(view)+"\n", "\n")
	}
	return body
}

// inView is a request of the parameters in a view.
func inView(given map[string]string, view events.View) string {
	given = maps.Clone(given)
	given["view"] = string(view)
	text, _ := json.Marshal(given)
	return string(text)
}

// messaged asks a question over NATS, and returns the answer with its headers.
func (s *testServer) messaged(question, request string) string {
	s.t.Helper()
	m, err := s.nc.RequestMsgWithContext(s.t.Context(),
		&nats.Msg{Subject: SubjectPrefix + question, Data: []byte(request)})
	if err != nil {
		s.t.Fatal(err)
	}
	return fmt.Sprint(m.Header, "\n", string(m.Data))
}

// Over NATS nothing of what is withheld is told: not in the answers, nor in their headers.
func TestNothingIsLeakedOverNATS(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("every question is asked twice, one after the other")
	}
	c := newConfidence(t)
	s := newServer(t, c.testLog)
	var asked [][2]string
	add := func(question string, given map[string]string) {
		text, _ := json.Marshal(given)
		asked = append(asked, [2]string{question, string(text)})
	}
	for _, path := range addresses(t, s.api, c.round) {
		if strings.Contains(path, "view=") || strings.Contains(path, csvSuffix) {
			continue
		}
		for _, q := range s.service.questions {
			u, err := url.Parse(path)
			if err != nil {
				t.Fatal(err)
			}
			if given, ok := partsOf(q.path, u); ok {
				add(q.name, given)
				break
			}
		}
	}
	for i, rec := range c.records {
		id, n := events.Thing(rec.Statement).String(), number(uint64(i+1))
		add("pledge", map[string]string{"id": id})
		add("versions", map[string]string{"id": id})
		add("counted", map[string]string{"record": n})
		add("records", map[string]string{"from": n, "limit": "1"})
	}
	add("rebuild", map[string]string{})
	for _, w := range c.withheldFrom(t) {
		differ := 0
		for _, one := range asked {
			var given map[string]string
			if err := json.Unmarshal([]byte(one[1]), &given); err != nil {
				t.Fatal(err)
			}
			want := w.server.messaged(one[0], one[1])
			if got := w.told(s.messaged(one[0], inView(given, w.view))); got != w.told(want) {
				t.Fatalf("%s %s, told to %s:\n%s\nand where nothing was withheld:\n%s", one[0],
					one[1], w.view, got, want)
			}
			if s.messaged(one[0], one[1]) != want {
				differ++
			}
		}
		if differ < len(asked)/4 {
			t.Errorf("only %d of %d answers are others for %s: this shows little", differ,
				len(asked), w.view)
		}
	}
}

// partsOf returns the parameters of an address that is one of a question's.
func partsOf(path string, u *url.URL) (map[string]string, bool) {
	want, got := strings.Split(path, "/"), strings.Split(u.Path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	given := map[string]string{}
	for i := range want {
		if name, is := strings.CutPrefix(want[i], "{"); is {
			given[strings.TrimSuffix(name, "}")] = got[i]
		} else if want[i] != got[i] {
			return nil, false
		}
	}
	for name, values := range u.Query() {
		given[name] = values[0]
	}
	return given, true
}

// What is only supposed is judged by what may be read: a statement about what is withheld is
// refused as one about what was never said. So it is with what is posted.
func TestNothingIsLeakedByPreview(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("every question is asked, one after the other")
	}
	c := newConfidence(t)
	s := newServer(t, c.testLog)
	var statements []string
	for _, rec := range c.records {
		id := events.Thing(rec.Statement)
		nation, operation := events.About(rec.Statement)
		for _, typ := range []string{"pledge.accepted", "pledge.withdrawn", "condition.discharged",
			"pledge.disclosed"} {
			statements = append(statements, fmt.Sprintf(`[{"type":%q,"id":"01K0000000000000000000000%d",`+
				`"ledger":"muster.example/test","effective":"2026-01-15","operation":%q,"nation":%q,`+
				`"pledge":%q}]`, typ, len(statements)%10, operation, nation, id))
		}
	}
	slices.Sort(statements)
	statements = slices.Compact(statements)
	for _, w := range c.withheldFrom(t) {
		differ := 0
		for _, st := range statements {
			given := map[string]string{"statements": st}
			text, _ := json.Marshal(given)
			post := func(s *testServer, body string) (int, string) {
				status, _, answer := s.send(http.MethodPost, s.url+Root+"/preview",
					http.Header{"Content-Type": {"application/json"}}, strings.NewReader(body))
				return status, answer
			}
			gotStatus, got := post(s, inView(given, w.view))
			wantStatus, want := post(w.server, string(text))
			if gotStatus != wantStatus || w.told(got) != w.told(want) {
				t.Fatalf("%s, told to %s: %d %s\nand where nothing was withheld: %d %s", st, w.view,
					gotStatus, got, wantStatus, want)
			}
			if _, whole := post(s, string(text)); whole != want {
				differ++
			}
		}
		if differ < 4 {
			t.Errorf("only %d of %d previews are others for %s: this shows little", differ,
				len(statements), w.view)
		}
	}
}

// The headers of an answer, the pages of a list and the work of building anew tell nothing either.
func TestNothingIsLeakedAround(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("every question is asked, one after the other")
	}
	c := newConfidence(t)
	s := newServer(t, c.testLog)
	// Which follow from the body, or name the view.
	ofItself := []string{"Date", "Etag", "Content-Length"}
	fetch := func(s *testServer, path string) (header, body string) {
		status, h, body := s.send(http.MethodGet, s.url+Root+path, nil, nil)
		for _, name := range ofItself {
			h.Del(name)
		}
		return fmt.Sprint(status, h), body
	}
	for _, w := range c.withheldFrom(t) {
		in := func(path string) string { return path + "view=" + string(w.view) }
		for _, path := range []string{"/pledges?limit=1&", "/pledges.csv?limit=2&",
			"/records?limit=2&", "/records.csv?limit=3&", "/rebuild?",
			"/pledges/01K00000000000000000000000?", "/coverage?", "/nations.csv?",
			"/fingerprint?"} {
			for next := path; next != ""; {
				header, body := fetch(s, in(next))
				wantHeader, want := fetch(w.server, next)
				if w.told(header) != wantHeader && w.told(header) != w.told(in(wantHeader)) &&
					strings.ReplaceAll(w.told(header), "&view=", "") != wantHeader {
					t.Errorf("%s, told to %s: %s\nand where nothing was withheld: %s", next, w.view,
						header, wantHeader)
				}
				if w.told(body) != w.told(want) {
					t.Errorf("%s, told to %s: %s\nand where nothing was withheld: %s", next, w.view,
						body, want)
				}
				next = following(path, body)
			}
		}
	}
}

// following returns the address of the page behind one, "" for none.
func following(path, body string) string {
	var page struct {
		Next any    `json:"next"`
		AsOf uint64 `json:"as_of"`
	}
	_ = json.Unmarshal([]byte(body), &page)
	switch next := page.Next.(type) {
	case string:
		if next != "" {
			return path + "after=" + next + "&"
		}
	case float64:
		if next <= float64(page.AsOf) {
			return path + "from=" + fmt.Sprint(int(next)) + "&"
		}
	}
	return ""
}

// Streams tell what is released, as it comes and from where a client has left off, with the same
// ids.
func TestNothingIsLeakedLive(t *testing.T) {
	t.Parallel()
	c := newConfidence(t)
	s := newServer(t, c.testLog)
	_, _, _, ledger := s.fetch("/ledger", "")
	var l Ledger
	if err := json.Unmarshal([]byte(ledger), &l); err != nil {
		t.Fatal(err)
	}
	last := uint64(len(c.records))
	for _, w := range c.withheldFrom(t) {
		for _, seen := range []uint64{0, 1, 4, last - 3, last - 1} {
			open := 0
			for i, reads := range w.reads {
				if uint64(i) >= seen && reads {
					open++
				}
			}
			id := ""
			if seen > 0 {
				id = fmt.Sprintf("%d-%s", seen, l.First[:ledgerDigits])
			}
			const from = "/records/events?from=1"
			got, want := s.heard(from+"&view="+string(w.view), id, open),
				w.server.heard(from, id, open)
			if w.told(got) != w.told(want) {
				t.Errorf("told live to %s from %q:\n%s\nand where nothing was withheld:\n%s",
					w.view, id, got, want)
			}
		}
		const on = "/coverage/events?on=2026-01-04"
		got, want := s.heard(on+"&view="+string(w.view), "", 1), w.server.heard(on, "", 1)
		if w.told(got) != w.told(want) {
			t.Errorf("coverage, told live to %s:\n%s\nand where nothing was withheld:\n%s", w.view,
				got, want)
		}
	}
}

// heard returns so many events of a stream as they were sent, and whether the record after them all
// is heard as it comes: what is withheld is not.
func (s *testServer) heard(path, seen string, events int) string {
	s.t.Helper()
	l := s.listen(path, seen)
	defer l.stop()
	l.lines.Buffer(nil, bufio.MaxScanTokenSize*16)
	var text strings.Builder
	for n := 0; n < events && l.lines.Scan(); {
		fmt.Fprintln(&text, l.lines.Text())
		if strings.HasPrefix(l.lines.Text(), "data: ") {
			n++
		}
	}
	return text.String()
}
