package intake_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/micro"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/ledger/natsd"
)

// broken panics at whatever it is asked.
type broken struct{}

func (broken) Submit(context.Context, events.Signed) (intake.Receipt, error) { panic("no ledger") }
func (broken) Check(context.Context, events.Signed) (intake.Checked, error)  { panic("no ledger") }
func (broken) Checkpoint() []byte                                            { panic("no tree") }
func (broken) Witnessed() []byte                                             { panic("no tree") }
func (broken) Tile(tlog.Tile) ([]byte, error)                                { panic("no tree") }

// A panic over NATS, which nothing else recovers from, is an answer and a line in the log.
func TestPanicsOverNATS(t *testing.T) {
	var said bytes.Buffer
	usual := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&said, nil)))
	defer slog.SetDefault(usual)
	srv, err := natsd.Start(natsd.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = srv.Shutdown() }()
	nc, err := srv.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	svc, err := micro.AddService(nc, micro.Config{Name: "muster", Version: "0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	wait, err := intake.RegisterNATS(svc, broken{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := intake.RegisterTreeNATS(svc, broken{}, nil, nil); err != nil {
		t.Fatal(err)
	}
	s := newBench(t).admission(t)
	batch, err := json.Marshal(intake.Batch{Statements: []string{string(s.Note)}})
	if err != nil {
		t.Fatal(err)
	}
	for subject, data := range map[string][]byte{"submit": s.Note, "check": s.Note,
		"submit-batch": batch, "check-batch": batch,
		"checkpoint": nil, "tile": []byte("tile/0/000.p/1")} {
		err := intake.Request(t.Context(), nc, intake.SubjectPrefix+subject, data, new(any))
		if !problem.Is(err, problem.Internal) || strings.Contains(err.Error(), "no ledger") ||
			problem.From(err).Hint == "" {
			t.Errorf("%s: %v", subject, err)
		}
	}
	if err := svc.Stop(); err != nil {
		t.Fatal(err)
	}
	wait()
	if log := said.String(); strings.Count(log, "a request has panicked") != 6 ||
		!strings.Contains(log, "rescue_test.go") {
		t.Errorf("the log says %s", log)
	}
}
