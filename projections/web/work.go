package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"muster/events"
	"muster/projections"
)

// A work is what a request is to the limits.
type work struct {
	slots *Slots // nil for what takes none
	// places is how many of these it takes; 0 for one.
	places int64
	time   time.Duration // how long it may take, 0 where that is bounded elsewhere
	// It is a question; otherwise those that it asks meanwhile take slots of their own.
	asks   bool
	budget projections.Budget
}

// workOf tells the work of a request by its address. Health is always told, and files are at hand.
// Who is told live takes a slot where the stream begins.
func (s *Service) workOf(r *http.Request) work {
	path, suffix := withoutSuffix(r.URL.Path)
	switch {
	case path == "/healthz", path == "/readyz", path == "/livez",
		strings.HasPrefix(path, "/static/"),
		strings.HasSuffix(path, "/events"):
		return work{}
	case strings.HasPrefix(path, Root+"/statements") && strings.HasSuffix(path, "/batch"):
		return work{slots: s.slots.statements, places: statementsIn(r), time: statementTime}
	case strings.HasPrefix(path, Root+"/statements"):
		return work{slots: s.slots.statements, time: statementTime}
	case suffix == atomSuffix: // no longer than any answer
	case suffix != "" && suffix != csvSuffix && slices.Contains(longLists, path):
		return work{slots: s.slots.files, time: fileTime} // as the next one
	case suffix != "" && slices.Contains(longLists, path):
		return work{slots: s.slots.waits, time: listTime} // each page takes a slot of its own
	case slices.Contains(longPages, r.Method+" "+path):
		return asking(s.slots.long, longTime, longBudget)
	}
	does := s.workOfQuestion(strings.TrimPrefix(path, Root+"/"), r.URL.Query().Get("wait") != "")
	if suffix != "" { // a list as rows is whole, however long it is
		does.time = max(does.time, longTime)
	}
	return does
}

// statementsIn returns how many statements a batch holds, as many as one may where all of it was
// not read ahead.
func statementsIn(r *http.Request) int64 {
	if sent, ok := r.Body.(*sentBody); ok && sent.whole {
		return int64(events.BatchSize(sent.ahead))
	}
	return events.MaxBatch
}

// workOfQuestion tells the work of a question by its name: those of longQuestions have the path of
// their name.
func (s *Service) workOfQuestion(name string, waits bool) work {
	switch {
	case name == "records" && waits:
		return work{slots: s.slots.waits, time: maxWait*time.Second + questionTime}
	case name == "rebuild":
		// One at a time is done, and another refused.
		return asking(nil, rebuildTime, longBudget)
	case slices.Contains(longQuestions, name):
		return asking(s.slots.long, longTime, longBudget)
	}
	return asking(s.slots.short, questionTime, budget)
}

// asking is the work of a question.
func asking(slots *Slots, time time.Duration, budget projections.Budget) work {
	return work{slots: slots, time: time, asks: true, budget: budget}
}

// longLists are as long as the ledger: as CSV they are whole, and written page by page.
var longLists = []string{Root + "/pledges", Root + "/records"}

// longQuestions look at many moments, or at all there is; and longPages ask them, or compare the
// journal with the stream.
var (
	longQuestions = []string{"diff", "digest", "preview", "fingerprint", "timeline"}
	longPages     = []string{"GET /compare", "GET /digest", "GET /timeline", "POST /desk",
		"POST /import", "POST /submit", "POST /verify"}
)
