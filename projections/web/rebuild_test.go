package web

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

func TestRebuild(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	r := told[Rebuilding](s, "rebuild", "")
	if !r.Identical() || r.AsOf != l.Last() || len(r.Each) == 0 || r.Replaced || r.Discarded != "" {
		t.Errorf("%+v", r)
	}
	for _, one := range r.Each {
		if one.Saved == "" || one.Saved != one.Rebuilt {
			t.Errorf("%+v", one)
		}
	}
}

// What the log holds beyond the picture is no difference.
func TestRebuildOfAPictureThatIsBehind(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newStillServer(t, l.testLog)
	asOf := l.Last()
	l.offer("PRT", 7)
	r := told[Rebuilding](s, "rebuild", "")
	equal(t, "identical", r.Identical(), true)
	equal(t, "as of", r.AsOf, asOf)
}

// A log that is no longer the one that the picture was made of is found.
func TestRebuildFindsWhatDiffers(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	another := newRound(t)
	s.source.testLog = another.testLog
	r := told[Rebuilding](s, "rebuild", "")
	differ := map[string]bool{}
	for _, one := range r.Each {
		differ[one.Name] = !one.Identical
	}
	if !differ["roster"] || !differ["pledges"] || differ["operations"] {
		t.Errorf("%+v", r)
	}
}

func TestRebuildOneAtATime(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	s.source.entered, s.source.gate = make(chan struct{}, 3), make(chan struct{})
	first := make(chan answer, 1)
	go func() { first <- s.overHTTP("rebuild", "") }()
	soon(t, s.source.entered)
	a := s.ask("rebuild", "")
	equal(t, "a second", a.status, http.StatusServiceUnavailable)
	if p := a.problem(t); !strings.Contains(p.Detail, "being rebuilt already") || p.Hint == "" {
		t.Error(a.body)
	}
	close(s.source.gate)
	equal(t, "the first", soon(t, first).status, http.StatusOK)
	equal(t, "one after it", s.ask("rebuild", "").status, http.StatusOK)
}

func TestRebuildOfAFailingSource(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	broken := newTestLog(t)
	broken.close(errors.New("the disk is gone"))
	s.source.testLog = broken
	if p := s.ask("rebuild", "").problem(t); !strings.Contains(p.Detail, "the disk is gone") {
		t.Error(p)
	}
}
