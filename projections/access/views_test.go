package access_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/ledger"
	"muster/ledger/journal"
	"muster/ledger/logtest"
	"muster/projections"
	"muster/projections/access"
	"muster/projections/projector"
	"muster/projections/records"
)

var limits = access.Limits{Nations: 8, Records: 200_000}

// A world is a real ledger with its journal, the picture of all, and the views.
type world struct {
	t       *testing.T
	ledger  *ledger.Ledger
	journal *journal.Journal
	full    *projector.Projector
	views   *access.Views
	keys    map[string]*events.Signer
	dir     string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, keys: map[string]*events.Signer{}, dir: t.TempDir()}
	var err error
	if w.journal, err = journal.Open(filepath.Join(w.dir, "journal.db")); err != nil {
		t.Fatal(err)
	}
	w.ledger, err = ledger.Open(t.Context(),
		ledger.Config{Journal: w.journal, Log: logtest.NewMemory(0).View(), Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	w.say("HQ/founder", &events.LedgerFounded{Header: w.head("ledger.founded"), Title: "a test",
		Founder: w.key("HQ/founder").Key()})
	if w.full, err = projector.Open(t.Context(), filepath.Join(w.dir, "projections.db"),
		w.journal); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- w.full.Run(ctx) }()
	w.views = access.Open(filepath.Join(w.dir, "views"), w.journal, w.full, limits)
	t.Cleanup(func() {
		errs := []error{w.views.Close()}
		stop()
		errs = append(errs, <-ended, w.full.Close())
		w.ledger.Close()
		for _, err := range append(errs, w.journal.Close()) {
			if err != nil {
				t.Error(err)
			}
		}
	})
	w.say("HQ/founder", &events.OperationOpened{Header: w.head("operation.opened"), Dated: on,
		OperationTerms: events.OperationTerms{
			Operation: "op", Title: "An operation",
			Roles: []events.RoleDefinition{{Role: "ground", Title: "Troops",
				Units: []events.Unit{"personnel"}}}}})
	for _, name := range []string{"FRA/paris", "GBR/london", "POL/warsaw"} {
		w.say("HQ/founder", &events.MemberAdmitted{Header: w.head("member.admitted"),
			Key: w.key(name).Key(), Role: events.Liaison})
	}
	return w
}

var on = events.Dated{Effective: 2026_01_01}

func (w *world) head(typ events.Type) events.Header {
	return events.Header{Type: typ, ID: events.NewID(), Ledger: "muster.example/test"}
}

func (w *world) key(name string) *events.Signer {
	if w.keys[name] == nil {
		secret, _, err := events.NewKey(name)
		if err != nil {
			w.t.Fatal(err)
		}
		if w.keys[name], err = events.NewSigner(secret); err != nil {
			w.t.Fatal(err)
		}
	}
	return w.keys[name]
}

// say has a statement recorded, and returns its sequence.
func (w *world) say(by string, st events.Statement) uint64 {
	w.t.Helper()
	signed, err := events.Sign(st, w.key(by))
	if err != nil {
		w.t.Fatal(err)
	}
	receipt, err := w.ledger.Submit(w.t.Context(), signed)
	if err != nil {
		w.t.Fatal(err)
	}
	return receipt.Sequence
}

func (w *world) offer(by string, n int64, release events.Release, to ...events.Nation) (events.ID,
	uint64) {
	w.t.Helper()
	nation := events.Nation(by[:3])
	st := &events.PledgeOffered{Header: w.head("pledge.offered"), Dated: on,
		Place: events.Place{Operation: "op", Nation: nation},
		PledgeTerms: events.PledgeTerms{Role: "ground", Quantity: events.Count(n),
			Unit:   "personnel",
			Window: events.Window{From: 2026_01_01}, Release: release, ReleasableTo: to}}
	return st.ID, w.say(by, st)
}

// sums returns what a view sees pledged, by nation, once it has a record.
func (w *world) sums(view events.View, seq uint64) string {
	w.t.Helper()
	pictures, _ := w.views.Of(view)
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	if err := pictures.WaitFor(ctx, seq); err != nil {
		w.t.Fatalf("%s: %v", view, err)
	}
	var all []string
	err := pictures.View(func(p *projections.Picture) error {
		if p.Sequence() < seq {
			w.t.Errorf("%s has %d records after waiting for %d", view, p.Sequence(), seq)
		}
		list, err := p.Pledges(ctx, projections.Moment{On: 2026_06_01}, projections.PledgeFilter{})
		for _, pl := range list.Pledges {
			all = append(all, fmt.Sprint(pl.Nation, " ", pl.Quantity))
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func (w *world) sees(seq uint64, want map[events.View]string) {
	w.t.Helper()
	for view, sums := range want {
		if got := w.sums(view, seq); got != sums {
			w.t.Errorf("after record %d, %s sees %q, want %q", seq, view, got, sums)
		}
	}
}

// Each view has what is released to it, as soon as it is recorded; and views that are open to the
// same have one picture.
func TestViews(t *testing.T) {
	w := newWorld(t)
	_, seq := w.offer("POL/warsaw", 10, "")
	w.sees(seq, map[events.View]string{"coordinators": "POL 10", "coalition": "POL 10",
		"FRA": "POL 10", "public": ""})
	if kept := w.views.Kept(); len(kept) != 1 || kept[0] != events.PublicView {
		t.Errorf("nothing is withheld from the coalition, and there are pictures of %v", kept)
	}
	id, seq := w.offer("FRA/paris", 200, events.CoordinatorsOnly, "GBR")
	all, coalition := "FRA 200, POL 10", "POL 10"
	w.sees(seq, map[events.View]string{"coordinators": all, "coalition": coalition, "FRA": all,
		"GBR": all, "POL": coalition, "public": ""})
	kept := w.views.Kept()
	if slices.Sort(kept); fmt.Sprint(kept) != "[coalition public]" {
		t.Errorf("France and Britain see all, Poland what the coalition does, and there are "+
			"pictures of %v", kept)
	}
	_, seq = w.offer("POL/warsaw", 5, events.CoordinatorsOnly)
	w.sees(seq, map[events.View]string{"coordinators": all + ", POL 5", "coalition": coalition,
		"FRA": all, "GBR": all, "POL": "POL 10, POL 5", "public": ""})
	kept = w.views.Kept()
	if slices.Sort(kept); fmt.Sprint(kept) != "[FRA GBR POL coalition public]" {
		t.Errorf("there are pictures of %v", kept)
	}
	all, coalition = "FRA 200, POL 10", "FRA 200, POL 10"
	seq = w.say("FRA/paris", &events.PledgeDisclosed{Header: w.head("pledge.disclosed"), Dated: on,
		Place:  events.Place{Operation: "op", Nation: "FRA"},
		Pledge: id, PledgeTerms: events.PledgeTerms{Role: "ground", Quantity: events.Count(200),
			Unit:   "personnel",
			Window: events.Window{From: 2026_01_01}, Release: events.CoalitionOnly},
		Standing: events.Standing{Rung: events.Offered}})
	w.sees(seq, map[events.View]string{"coordinators": all + ", POL 5", "coalition": coalition,
		"FRA": all, "GBR": all, "POL": all + ", POL 5", "public": ""})
}

// Whoever looks sees all that the picture of all had by then, without waiting for any record.
func TestViewsDoNotLag(t *testing.T) {
	w := newWorld(t)
	w.offer("FRA/paris", 1, events.CoordinatorsOnly)
	pictures, _ := w.views.Of(events.CoalitionView)
	began := time.Now()
	for n := range 50 {
		_, seq := w.offer("POL/warsaw", int64(n+1), "")
		if err := w.full.WaitFor(t.Context(), seq); err != nil {
			t.Fatal(err)
		}
		if last := pictures.Sequence(); last < seq {
			t.Fatalf("the coalition sees %d records of %d", last, seq)
		}
	}
	if took := time.Since(began); took > 25*access.Quiet {
		t.Errorf("50 looks took %s: each waited until no record came", took)
	}
}

// A picture that nobody looks at goes on when no more records come.
func TestViewsGoOnUnasked(t *testing.T) {
	w := newWorld(t)
	_, seq := w.offer("FRA/paris", 1, events.CoordinatorsOnly)
	w.sees(seq, map[events.View]string{"coalition": ""})
	for n := range 3 {
		_, seq = w.offer("POL/warsaw", int64(n+1), "")
	}
	for until := time.Now().Add(20 * access.Quiet); w.views.Taken("coalition") < seq; {
		if time.Now().After(until) {
			t.Fatalf("the coalition's picture has %d records of %d",
				w.views.Taken("coalition"), seq)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// A brokenSource fails from a time on.
type brokenSource struct {
	*journal.Journal
	broken atomic.Bool
}

var errBroken = errors.New("the disk is on fire")

func (b *brokenSource) Stored(from uint64, most int, room []byte) ([][]byte, []byte, error) {
	if b.broken.Load() {
		return nil, room, errBroken
	}
	return b.Journal.Stored(from, most, room)
}

// A picture that cannot go on answers nobody with what was so once, and is made anew when that
// works.
func TestViewThatFails(t *testing.T) {
	w := newWorld(t)
	source := &brokenSource{Journal: w.journal}
	w.views = access.Open(filepath.Join(w.dir, "others"), source, w.full, limits)
	var said bytes.Buffer // which is written before whoever asks is told
	w.views.Log = slog.New(slog.NewTextHandler(&said, nil))
	w.offer("FRA/paris", 1, events.CoordinatorsOnly)
	_, seq := w.offer("POL/warsaw", 10, "")
	w.sees(seq, map[events.View]string{"coalition": "POL 10"})
	source.broken.Store(true)
	_, seq = w.offer("POL/warsaw", 20, "")
	if err := w.full.WaitFor(t.Context(), seq); err != nil {
		t.Fatal(err)
	}
	pictures, _ := w.views.Of(events.CoalitionView)
	err := pictures.View(func(*projections.Picture) error { return nil })
	if err == nil || !strings.Contains(err.Error(), errBroken.Error()) {
		t.Errorf("a picture that stopped is shown: %v", err)
	}
	if log := said.String(); !strings.Contains(log, "the projections of a view have stopped") ||
		!strings.Contains(log, "view=coalition") || !strings.Contains(log, errBroken.Error()) {
		t.Errorf("the log says %q", log)
	}
	source.broken.Store(false)
	w.sees(seq, map[events.View]string{"coalition": "POL 10, POL 20"})
}

// Many ask for more nations than are kept, all at once: each gets its own.
func TestManyNationsAtOnce(t *testing.T) {
	w := newWorld(t)
	nations := []events.Nation{"AUT", "BEL", "CAN", "DEU", "ESP", "FIN", "GRC", "HUN", "IRL", "JPN",
		"KOR", "LVA"}
	var seq uint64
	for i, nation := range nations {
		_, seq = w.offer("FRA/paris", int64(i+1), events.CoordinatorsOnly, nation)
	}
	var all sync.WaitGroup
	for who := range 4 {
		all.Go(func() {
			for i := range 30 {
				n := (i*7 + who*3) % len(nations)
				if got, want := w.sums(events.View(nations[n]), seq),
					fmt.Sprint("FRA ", n+1); got != want {
					t.Errorf("%s sees %q, want %q", nations[n], got, want)
				}
			}
		})
	}
	all.Wait()
}

// A source yields what is open to a view and the places of all else, one by one and in bulk.
func TestSourceKeepsThePlaces(t *testing.T) {
	w := newWorld(t)
	w.offer("POL/warsaw", 10, "")
	_, seq := w.offer("FRA/paris", 200, events.CoordinatorsOnly)
	if err := w.full.WaitFor(t.Context(), seq); err != nil {
		t.Fatal(err)
	}
	for view, want := range map[events.View]string{"coordinators": "", "FRA": "", "POL": "7",
		"coalition": "7", "public": "2 6 7"} {
		_, source := w.views.Of(view)
		var withheld []string
		n := uint64(0)
		bulk := source.(records.StoredSource)
		stored, _, err := bulk.Stored(1, 100, nil)
		if err != nil {
			t.Fatal(err)
		}
		for rec, err := range source.Records(1) {
			if n++; err != nil || rec.Sequence != n {
				t.Fatalf("%s: record %d stands at %d, %v", view, rec.Sequence, n, err)
			}
			if (rec.Statement == nil) != (stored[n-1] == nil) ||
				string(rec.Stored) != string(stored[n-1]) {
				t.Errorf("%s: record %d is another in bulk", view, n)
			}
			if rec.Statement == nil {
				withheld = append(withheld, fmt.Sprint(n))
				if !rec.Recorded.IsZero() || rec.By != "" || rec.KeyName != "" || rec.Note != nil {
					t.Errorf("%s: of record %d is told %+v", view, n, rec)
				}
			}
		}
		if got := strings.Join(withheld, " "); got != want || n != source.Last() || n != seq {
			t.Errorf("of %d records, %s is not told of %q, want %q", n, view, got, want)
		}
		if more, _, err := bulk.Stored(seq+1, 10, nil); len(more) > 0 || err != nil {
			t.Errorf("behind the end there is %q, %v", more, err)
		}
	}
}

// A picture that was kept is there again after a start, and one that gave way to others, too.
func TestViewsAreKept(t *testing.T) {
	w := newWorld(t)
	_, seq := w.offer("FRA/paris", 200, events.CoordinatorsOnly)
	want := map[events.View]string{"coalition": "", "FRA": "FRA 200", "public": ""}
	w.sees(seq, want)
	if err := w.views.Close(); err != nil {
		t.Fatal(err)
	}
	pictures, _ := w.views.Of("coalition")
	if err := pictures.View(func(*projections.Picture) error { return nil }); err == nil {
		t.Error("views that are closed are looked at")
	}
	w.views = access.Open(filepath.Join(w.dir, "views"), w.journal, w.full, limits)
	w.sees(seq, want)
	nations := []events.Nation{"AUT", "BEL", "CAN", "DEU", "ESP", "FIN", "GRC", "HUN", "IRL", "JPN"}
	if len(nations) <= int(limits.Nations) {
		t.Fatal("too few nations")
	}
	for i, nation := range nations {
		_, seq = w.offer("FRA/paris", int64(i+1), events.CoordinatorsOnly, nation)
	}
	for range 2 {
		for i, nation := range nations {
			w.sees(seq, map[events.View]string{events.View(nation): fmt.Sprint("FRA ", i+1)})
		}
		own := slices.DeleteFunc(w.views.Kept(),
			func(v events.View) bool { _, is := v.Nation(); return !is })
		if len(own) != int(limits.Nations) {
			t.Errorf("%d nations have a picture, %v", len(own), own)
		}
	}
}

// A slowSource lets nothing be read before its gate is closed.
type slowSource struct {
	*journal.Journal
	gate, entered chan struct{}
}

func (s *slowSource) Records(from uint64) iter.Seq2[events.Record, error] {
	s.wait()
	return s.Journal.Records(from)
}

func (s *slowSource) Stored(from uint64, most int, room []byte) ([][]byte, []byte, error) {
	s.wait()
	return s.Journal.Stored(from, most, room)
}

func (s *slowSource) wait() {
	select {
	case s.entered <- struct{}{}:
	default:
	}
	<-s.gate
}

// Whoever waits for a picture that is being made may go away: it is made for those who stay. No
// other one is made meanwhile.
func TestWhoWaitsForAPictureMayGo(t *testing.T) {
	w := newWorld(t)
	_, seq := w.offer("FRA/paris", 200, events.CoordinatorsOnly)
	if err := w.full.WaitFor(t.Context(), seq); err != nil {
		t.Fatal(err)
	}
	source := &slowSource{w.journal, make(chan struct{}), make(chan struct{}, 1)}
	w.views = access.Open(filepath.Join(w.dir, "others"), source, w.full, limits)
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() { gone <- w.views.Await(ctx, "POL") }()
	<-source.entered
	if w.views.IsMade("POL") || w.views.IsMade("coalition") || !w.views.IsMade("coordinators") {
		t.Error("a picture that is being made is there")
	}
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) || !problem.Is(err, problem.Unavailable) {
		t.Errorf("who has gone is told %v", err)
	}
	_, seq = w.offer("FRA/paris", 5, events.CoordinatorsOnly, "GBR")
	if err := w.full.WaitFor(t.Context(), seq); err != nil {
		t.Fatal(err)
	}
	soon, cancelSoon := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancelSoon()
	err := w.views.Await(soon, "GBR")
	if kept := w.views.Kept(); !problem.Is(err, problem.Unavailable) || len(kept) != 1 {
		t.Errorf("while another picture is made: %v, and there are those of %v", err, kept)
	}
	stays := make(chan error, 1)
	go func() { stays <- w.views.Await(t.Context(), "POL") }()
	close(source.gate)
	if err = <-stays; err != nil || !w.views.IsMade("POL") {
		t.Errorf("who has stayed is told %v", err)
	}
	w.sees(seq, map[events.View]string{"POL": "", "FRA": "FRA 200, FRA 5"})
}
