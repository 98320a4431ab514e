package web

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"muster/events"
	"muster/projections"
)

// getRows asks for a question's rows, and returns them without the head, and the rest's address.
func (s *testServer) getRows(path string) (rows [][]string, rest string) {
	s.t.Helper()
	resp, err := http.Get(s.url + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	all, err := csv.NewReader(resp.Body).ReadAll()
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %s %v", path, resp.Status, err)
	}
	if link := resp.Header.Get("Link"); link != "" {
		var ok bool
		if rest, ok = strings.CutSuffix(strings.TrimPrefix(link, "<"), `>; rel="next"`); !ok {
			s.t.Errorf("%s: %s", path, link)
		}
	}
	return all[1:], rest
}

// A list as CSV is whole, however many pages it has, and one that the client has cut leads to the
// rest.
func TestCSVIsWhole(t *testing.T) {
	l := newRound(t)
	s := newServer(t, l.testLog)
	pledges := PledgesTable(told[projections.PledgeList](s, "pledges", "")).Rows
	records := RecordsTable(told[Records](s, "records", "")).Rows
	ground := RecordsTable(told[Records](s, "records", "type=pledge")).Rows
	s.service.pageSize = 2
	for path, want := range map[string][]Row{
		"/pledges.csv": pledges, "/records.csv": records, "/records.csv?type=pledge": ground,
		"/records.csv?from=4": records[3:], "/pledges.csv?limit=3": pledges,
		"/records.csv?limit=5":             records,
		"/records.csv?limit=3&type=pledge": ground, "/records.csv?limit=10000": records,
	} {
		limit := len(want)
		switch {
		case strings.Contains(path, "limit=3"):
			limit = 3
		case strings.Contains(path, "limit=5"):
			limit = 5
		}
		got, rest := s.getRows(Root + path)
		equal(t, path, len(got), limit)
		equal(t, path+" leads on", rest != "", limit < len(want))
		for rest != "" {
			var more [][]string
			more, rest = s.getRows(rest)
			got = append(got, more...)
		}
		equal(t, path+" and the rest", len(got), len(want))
		for i := range got {
			equal(t, path, got[i][0], want[i].Cells[0])
		}
	}
}

// The bytes of a page bound no list as CSV: neither one without a limit nor one with.
func TestCSVOfLongRecords(t *testing.T) {
	l := newTestLog(t)
	l.open("force", events.RoleDefinition{Role: "ground", Title: "Troops",
		Units: []events.Unit{"personnel"}})
	for range 2 * pageBytes / 8000 {
		l.offer("GBR", 1, func(o *events.PledgeOffered) { o.Note = strings.Repeat("€", 2600) })
	}
	s := newServer(t, l)
	if page := told[Records](s, "records", "limit=10000"); page.Next > page.AsOf {
		t.Fatalf("all %d records are in one page", page.AsOf)
	}
	for _, path := range []string{"/records.csv", "/records.csv?limit=10000"} {
		rows, rest := s.getRows(Root + path)
		equal(t, path, uint64(len(rows)), l.Last())
		equal(t, path, rest, "")
	}
	rows, rest := s.getRows(Root + "/records.csv?limit=100")
	equal(t, "limited", len(rows), 100)
	equal(t, "the rest", rest,
		Root+"/records.csv?"+url.Values{"from": {"101"}, "limit": {"100"}}.Encode())
}

// What is recorded while a list is written is not in it: all pages are of one moment.
func TestCSVOfOneMoment(t *testing.T) {
	l := newRound(t)
	s := newServer(t, l.testLog)
	s.service.pageSize = 2
	for _, question := range []string{"pledges", "records"} {
		before, pages, rows := l.Last(), 0, 0
		row := find(s.service.questions, question)
		all, err := s.service.For(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		query, err := row.parse(all, request{})
		if err != nil {
			t.Fatal(err)
		}
		err = row.list(t.Context(), all, query, func(page Table, _ map[string]string) error {
			pages, rows = pages+1, rows+len(page.Rows)
			seq := l.offer("GBR", 7).seq
			return s.projector.WaitFor(t.Context(), seq)
		})
		if err != nil {
			t.Fatal(err)
		}
		want := before
		if question == "pledges" {
			want = uint64(len(told[projections.PledgeList](s, "pledges",
				"as_of="+number(before)+"&limit=1000").Pledges))
		}
		equal(t, question, uint64(rows), want)
		if pages < 3 {
			t.Errorf("%s: %d pages", question, pages)
		}
	}
}

// A leaving client ends its request when the first bytes have come.
type leavingClient struct {
	*httptest.ResponseRecorder
	leave  context.CancelFunc
	writes int
}

func (c *leavingClient) Write(b []byte) (int, error) {
	c.writes++
	c.leave()
	return c.ResponseRecorder.Write(b)
}

// A list ends when its client has gone, and is not kept as if it were whole.
func TestCSVEndsWithItsClient(t *testing.T) {
	l := newRound(t)
	s := newServer(t, l.testLog)
	s.service.pageSize = 1
	for _, path := range []string{"/pledges.csv", "/records.csv"} {
		ctx, leave := context.WithCancel(t.Context())
		w := &leavingClient{httptest.NewRecorder(), leave, 0}
		func() {
			defer func() {
				if why, ok := recover().(error); !ok || !errors.Is(why, http.ErrAbortHandler) {
					t.Errorf("%s: the connection was not cut: %v", path, why)
				}
			}()
			s.service.Handler(http.NewServeMux()).
				ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, Root+path, nil))
		}()
		if rows := strings.Count(w.Body.String(), "\n"); rows > 3 {
			t.Errorf("%s: %d rows were written for nobody", path, rows)
		}
		if s.service.kept.has(w.Header().Get("ETag")) {
			t.Errorf("%s: what broke off was kept", path)
		}
	}
}

// A list that breaks off says so in its last row, and is no whole answer for the client either.
func TestCSVBreaksOff(t *testing.T) {
	l := newRound(t)
	s := newServer(t, l.testLog)
	s.service.pageSize = 1
	records := find(s.service.questions, "records")
	records.list = func(_ context.Context, _ *Service, _ any, write writePage) error {
		page := RecordsTable(Records{Records: []Record{{Sequence: 1}}})
		return errors.Join(write(page, nil), errors.New("the disk is gone"))
	}
	srv := httptest.NewServer(s.service.Handler(http.NewServeMux()))
	defer srv.Close()
	resp, err := http.Get(srv.URL + Root + "/records.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil {
		t.Error("the client is told that the list is whole")
	}
	rows, err := csv.NewReader(strings.NewReader(string(body))).ReadAll()
	if err != nil || len(rows) != 3 ||
		rows[2][0] != "NOT WHOLE: the list breaks off here: the disk is gone" {
		t.Errorf("%q %v", body, err)
	}
}

// A list that the client has cut leads to the rest each time, also when the answer was kept.
func TestKeptCSVLeadsOn(t *testing.T) {
	l := newRound(t)
	s := newServer(t, l.testLog)
	const path = "/pledges.csv?limit=3"
	_, made := s.getRows(Root + path)
	_, tag, _, _ := s.fetch(path, "")
	for end := time.Now().Add(patient); !s.service.kept.has(tag); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the answer was not kept")
		}
	}
	_, kept := s.getRows(Root + path)
	equal(t, "where the kept list leads", kept, made)
	equal(t, "it leads on", made != "", true)
}

func (c *responseCache) has(tag string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept.Contains(tag)
}

// A list that is read page by page takes of the memory of all answers what one page takes, however
// long it is and however slowly it is read.
func TestCSVGivesBackEachPage(t *testing.T) {
	l := newRound(t)
	s := newServer(t, l.testLog)
	all := len(PledgesTable(told[projections.PledgeList](s, "pledges", "")).Rows)
	s.service.pageSize = 2
	was := budget
	t.Cleanup(func() { budget = was })
	budget.Pool = &projections.Pool{Most: int64(all-1) << 10} // all but one
	got, rest := s.getRows(Root + "/pledges.csv")
	equal(t, "rows", len(got), all)
	equal(t, "leads on", rest, "")
	if all < 6 { // so that a page may not have given back yet what the next one needs
		t.Errorf("there are only %d pledges", all)
	}
}
