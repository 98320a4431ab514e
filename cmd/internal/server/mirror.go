package server

import (
	"cmp"
	"context"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"regexp"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/ledger/mirror"
	"muster/ledger/proof"
	"muster/projections/web/page"
)

// A Mirror answers from the copy of a ledger that it keeps of somebody else's server: what a server
// answers, for the view that it holds, but it takes no statements.
type Mirror struct {
	front
	held      *mirror.Mirror
	following func() Following
	opened    time.Time
	met       uint64
}

// Following is how it goes with a mirror.
type Following struct {
	Of       string      `json:"of" doc:"The address of the server that this mirror follows"`
	View     events.View `json:"view" doc:"The view that it holds: coordinators is all"`
	Withheld uint64      `json:"withheld" doc:"How many of the records are withheld from it"`
	Met      *time.Time  `json:"met,omitempty" doc:"When the server has last shown what is held here, or goes on from it"`
	Away     *time.Time  `json:"away,omitempty" doc:"Since when the server cannot be followed"`
	Stopped  bool        `json:"stopped,omitempty" doc:"The mirror follows no more, since it was shown what cannot be true"`
	// Problem is why it cannot be followed. What is held can be read all the same.
	Problem *problem.Problem `json:"problem,omitempty" doc:"Why it cannot be followed"`
	Witness string           `json:"witness,omitempty" doc:"The key of the witness that this mirror is"`
}

// ListenMirror takes the address of a mirror. Nobody is answered before [Mirror.Answer]. Of the
// configuration it takes what is about listening and reading.
func ListenMirror(cfg Config) (*Mirror, error) {
	log := sparing(cmp.Or(cfg.Log, slog.New(slog.DiscardHandler)))
	m := &Mirror{front: newFront(cfg, log), opened: time.Now()}
	if err := m.listen(); err != nil {
		_ = m.Close()
		return nil, err
	}
	return m, nil
}

// Answer answers from what a mirror holds, from now on, and returns when it does. Following tells
// how it goes. The witness takes what is asked of one; nil for none.
func (m *Mirror) Answer(ctx context.Context, held *mirror.Mirror, following func() Following,
	witness http.Handler) error {
	m.held, m.following, m.met = held, following, held.Last()
	about := held.About()
	dir := held.Local()
	if err := m.openProjector(ctx, dir, held); err != nil {
		return err
	}
	m.ask(dir, held, about.Key, m.reading())
	if !about.All() {
		m.Questions.Holds = about.View
	}
	m.Questions.Sessions = m.sessions(about.Origin)
	if err := m.project(ctx, held.Last()); err != nil {
		return err
	}
	m.openThrift()
	if err := m.openAccessLog(); err != nil {
		return err
	}
	with := faces{tree: held, to: takesNone{m}, ledger: mirrorPages{m}, health: m.registerHealth,
		mirror: m.shown}
	if witness != nil {
		with.beside = func(next http.Handler) http.Handler { return asWitness(witness, next) }
	}
	return m.answer(with)
}

// witnessed is the path of what a witness has signed last of a ledger.
var witnessed = regexp.MustCompile(`^/[0-9a-f]{64}/checkpoint$`)

// asWitness has a witness answer what is asked of one.
func asWitness(witness, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/add-checkpoint" || witnessed.MatchString(r.URL.Path) {
			witness.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// refusal says where statements go.
func (m *Mirror) refusal() error {
	of := m.following().Of
	return problem.New(problem.Misdirected,
		"this is a mirror of the ledger, which takes no statements").
		WithHint("send them to the server that it follows: --url %s", of)
}

// takesNone is an intake.Submitter that refuses all statements.
type takesNone struct{ *Mirror }

// Submit implements intake.Submitter.
func (n takesNone) Submit(context.Context, events.Signed) (r intake.Receipt, err error) {
	return r, n.refusal()
}

// Check implements intake.Submitter.
func (n takesNone) Check(context.Context, events.Signed) (c intake.Checked, err error) {
	return c, n.refusal()
}

// Ready returns why no questions should be sent to the mirror now, or nil.
func (m *Mirror) Ready(ctx context.Context) error {
	if m.stopping.Load() {
		return problem.New(problem.Unavailable, "the mirror is stopping").
			WithHint("ask the server that it follows, or this one when it has started again")
	}
	if p := m.projected.Load(); p != nil {
		return p
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	return m.Projector.WaitFor(ctx, m.held.Last())
}

func (m *Mirror) registerHealth(api huma.API) { registerHealth(api, m.health, m.Ready) }

func (m *Mirror) health() (int, Health) {
	following := m.following()
	if p := following.Problem; p != nil && p.Hint != "" { // which names folders of this machine
		plain := *p
		plain.Hint, following.Problem = "", &plain
	}
	h := Health{Status: "ok", Origin: m.held.About().Origin, Name: m.cfg.Name,
		Recorded: m.held.Last(), Projected: m.Projector.Sequence(),
		Certificate: m.certificate.health(), Members: m.members(), Mirror: &following}
	if p := m.projected.Load(); p != nil {
		h.Status, h.Problem = "failing", p
		return http.StatusServiceUnavailable, h
	}
	return http.StatusOK, h
}

// shown is what pages say of it.
func (m *Mirror) shown() *page.Mirror {
	f := m.following()
	p := &page.Mirror{Of: f.Of, Stopped: f.Stopped}
	if f.Away != nil {
		p.Away = *f.Away
	}
	if f.Problem != nil {
		p.Why = f.Problem.Detail
	}
	return p
}

// mirrorPages is how a mirror's copy is kept, as its pages show it.
type mirrorPages struct{ *Mirror }

var _ page.Ledger = mirrorPages{}

// CheckUnsigned implements page.Ledger.
func (m mirrorPages) CheckUnsigned(context.Context, events.View, events.Statement) error {
	return m.refusal()
}

// LeafHashes implements page.Ledger.
func (m mirrorPages) LeafHashes(sequences []uint64) ([][sha256.Size]byte, error) {
	return plainHashes(m.held.LeafHashes(sequences))
}

// RootAt implements page.Ledger.
func (m mirrorPages) RootAt(size int64) ([sha256.Size]byte, error) {
	root, err := m.held.RootAt(size)
	return root, err
}

// Checkpoint implements page.Ledger.
func (m mirrorPages) Checkpoint() []byte { return m.held.Checkpoint() }

// Receipt implements page.Ledger.
func (m mirrorPages) Receipt(sequence uint64) (stored, receipt []byte, err error) {
	stored, included, err := m.held.Prove(sequence)
	if err != nil {
		return nil, nil, err
	}
	key := m.held.About().Key
	return stored, proof.Receipt{Key: key, Record: stored, Proof: included}.Text(), nil
}

// Witnessed implements page.Ledger: what witnesses have signed, a mirror does not count.
func (m mirrorPages) Witnessed() (records int64, by, of int, enough bool) { return 0, 0, 0, false }

// Healthy implements page.Ledger.
func (m mirrorPages) Healthy() error { return m.Ready(context.Background()) }

// Opened implements page.Ledger.
func (m mirrorPages) Opened() (at time.Time, met uint64) { return m.opened, m.met }

// Compared implements page.Ledger: there is nothing beside the copy to compare it with.
func (m mirrorPages) Compared() (through uint64, at time.Time) { return 0, time.Time{} }

// Compare implements page.Ledger.
func (m mirrorPages) Compare(context.Context) error {
	return problem.New(problem.NotFound, "a mirror has no stream to compare its copy with").
		WithHint("each record is held against the signed tree when it is read")
}
