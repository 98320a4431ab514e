// Package server puts a server together: the one place that knows the write side, the read side and
// NATS, and in which order they start.
//
// Start takes these steps, and Close undoes them in the reverse order:
//
//	listen          the certificate and the address; nobody is answered yet
//	makeFolder      the data folder
//	openJournal     which locks the folder, and finds what is damaged
//	checkPlaces     whether all else there can be written
//	openControl     what the folder's owner asks of a server: a backup
//	openBothSides   openWriteSide: the embedded stream's files, which are mended, NATS, the other
//	                servers of a cluster, the stream and the ledger, which is founded where it is
//	                new, the key that signs checkpoints, and the witnesses, who are asked what
//	                they have seen; beside it, openProjector
//	follow          the projections, up to the journal's end
//	openThrift      which gives memory back
//	keepNATS        which starts the embedded NATS server anew where it gives up
//	openAccessLog   where one is kept
//	openChanged     which tells over NATS what is recorded
//	openAPI         HTTP
//	openService     NATS
//	openHooks       whom the operator has named to be told
//
// Where somebody watches (--admin), listen answers there from the first step on.
//
// A Mirror is what is left of that without a write side: the address, the projections and HTTP, on
// a copy that somebody else's server is followed for. What both have in common is a front.
//
// What goes wrong is said to whoever typed muster serve, in the words of its flags.
package server

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"golang.org/x/sync/errgroup"

	"muster/cmd/internal/hooks"
	"muster/cmd/internal/reach"
	"muster/events"
	"muster/ledger"
	"muster/ledger/journal"
	"muster/ledger/natsd"
	"muster/ledger/peers"
	"muster/ledger/proof"
	"muster/ledger/proof/policy"
	"muster/ledger/stream"
	"muster/ledger/witness/feed"
	"muster/projections/access"
	"muster/projections/web"
)

// A Config says how a server is put together.
type Config struct {
	Dir         string         // the data folder
	Listen      string         // the address of the HTTP API
	Hosts       []string       // by which this server is named, beside its addresses
	Base        web.Base       // the path below which it answers over HTTP; "" for all of its hosts
	NATS        reach.NATS     // a NATS cluster; the zero value for the embedded server
	NATSListen  string         // where the embedded server takes clients; "" for nowhere
	NATSService reach.NATS     // the cluster for a user that only answers; the zero value for NATS
	Replicas    int            // of a stream that is created on a cluster
	Name        string         // this server's, in its records
	Without     []string       // servers of the cluster that a person has given up, by their names
	Origin      events.Origin  // the ledger's name, when it is founded; "" to make one
	Title       string         // what the ledger is for, when it is founded
	Version     string         // the program's
	Log         *slog.Logger   // nobody is told anything when nil
	Proxies     []netip.Prefix // that tell whose requests they pass on
	TLSCert     string         // the file of a certificate and its chain, to speak TLS; "" for none
	TLSKey      string         // the file of its key
	Plaintext   bool           // to do without TLS where other machines reach the server
	Read        access.Reading // who may read what; "" for what [Server.reading] finds safe
	AccessLog   string         // the access log's file, "-" for the standard error; "" for none
	Admin       string         // the address at which metrics and health are told; "" for none
	AdminAnyone bool           // other machines may reach that
	BodyTime    time.Duration  // to send the body of a request in; web.MaxBodyTime when 0

	Hooks   []hooks.Hook  // who is told what is recorded
	Changed []Publication // of which views it is told over NATS

	// Founding is the first statement of a new ledger, when its founder has signed one already.
	// Otherwise it is made of Origin and Title, and signed with a key that is made, too, and lies
	// in the folder.
	Founding *events.Signed

	// Inside is set for a server that is asked in this process alone: nobody is answered over HTTP
	// or NATS.
	Inside bool

	// Policy says which witnesses are to sign what is committed, nil for none; and Authorities is
	// the file of those whose certificates of them are believed, "" for the machine's.
	Policy      *policy.Policy
	Authorities string

	// RestoreStream has a stream given up where nothing proves that the journal is the right one of
	// the two, and the damaged stream of an outside NATS server made anew.
	RestoreStream bool

	// RestoredAsOf is the last record of a journal that is a copy, when it is accepted that what
	// came after it is lost; 0 while that is not.
	RestoredAsOf uint64

	// ScrubEvery is how often journal and stream are read and compared; twice an hour when 0.
	ScrubEvery time.Duration

	// Past is the record that new ones may follow although its time and the clock are far apart,
	// as [ledger.Config] has it; 0 for none.
	Past uint64

	// Clock tells the time of new records; time.Now when nil, as it is but in tests.
	Clock func() time.Time

	// NewCheckpointKey has a checkpoint key made although the folder has had one.
	NewCheckpointKey bool
}

// A Server is everything that runs for one ledger on one machine. What it exports is there from
// Start on; whoever has it may use it until Close, and may not close it.
type Server struct {
	Journal *journal.Journal
	Conn    *nats.Conn // that of the log
	Stream  *stream.Stream
	Ledger  *ledger.Ledger
	front

	all       *slog.Logger // that of the configuration, which tells all it is given
	metrics   *counters
	admin     net.Listener  // nil for none
	natsd     *natsd.Server // nil with an outside cluster
	telling   *nats.Conn    // that of all that guests listen to: see openTelling
	peers     *peers.Peers  // the other servers on the cluster; nil without one
	prepared  *ledger.Prepared
	signer    *proof.CheckpointSigner
	witnesses *feed.Feeder // nil without a policy
	hooks     *hooks.Hooks // nil where nobody is told
	changed   *publisher   // nil where nothing is told over NATS

	opened time.Time // when journal and stream were brought to the same end
	met    uint64    // the journal's last record before that, which the stream held too
	saved  uint64    // the last record that the saved projections have seen before the start

	standing  sync.Mutex // for what follows, of the witnesses
	asked     bool       // all of them, at the start
	sureOfAll bool       // enough have signed since the start
	savedAt   time.Time  // when what they have signed was kept

	ready atomic.Bool // the start is over
}

// Start starts a server, and returns it when it answers, with all that its journal has. Otherwise
// it undoes what it had started, and says why. When ctx ends meanwhile, the start breaks off; later
// it has no effect.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	all := cmp.Or(cfg.Log, slog.New(slog.DiscardHandler))
	s := &Server{front: newFront(cfg, sparing(all)), all: all, metrics: newCounters()}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// start does the steps in their order. The journal's lock is that of the folder: nothing else there
// is touched before it is had.
func (s *Server) start(ctx context.Context) error {
	if !s.cfg.Inside {
		if err := s.listen(); err != nil {
			return err
		}
		if err := s.checkPublications(); err != nil {
			return err
		}
	}
	if err := s.makeFolder(); err != nil {
		return err
	}
	if err := s.openJournal(); err != nil {
		return err
	}
	if err := s.checkPlaces(); err != nil {
		return err
	}
	if !s.cfg.Inside {
		if err := s.openControl(); err != nil {
			return err
		}
	}
	if err := s.openBothSides(ctx); err != nil {
		return err
	}
	if err := s.follow(ctx); err != nil || s.cfg.Inside {
		return err
	}
	s.openThrift()
	s.keepNATS()
	if err := s.openAccessLog(); err != nil {
		return err
	}
	beginToTell, err := s.openChanged()
	if err != nil {
		return err
	}
	if err := s.openAPI(); err != nil {
		return err
	}
	beginToTell()
	if err := s.openService(); err != nil {
		return err
	}
	if err := s.openHooks(); err != nil {
		return err
	}
	s.metrics.register(s)
	s.ready.Store(true)
	return nil
}

// openBothSides opens what rests on the journal: the write side, and beside it the projections,
// since each may have to read the journal from its beginning. When both fail, the error is always
// that of the write side.
func (s *Server) openBothSides(ctx context.Context) error {
	if s.lacks() { // or what is saved would be thrown away before the stream was asked
		if err := s.openWriteSide(ctx); err != nil {
			return err
		}
		return s.openProjector(ctx, s.cfg.Dir, s.Journal)
	}
	var beside errgroup.Group
	beside.Go(func() error { return s.openProjector(ctx, s.cfg.Dir, s.Journal) })
	err, other := s.openWriteSide(ctx), beside.Wait()
	return cmp.Or(err, other)
}

// openWriteSide opens the ledger on the stream. What needs the journal alone is done while the
// stream's files are looked at and NATS starts, and when both fail, the error is always that of
// NATS.
func (s *Server) openWriteSide(ctx context.Context) error {
	var beside errgroup.Group
	beside.Go(s.prepareLedger)
	err := s.mendBefore(ctx, beside.Wait)
	if err == nil {
		err = s.openNATS()
	}
	if err == nil {
		err = s.openPeers()
	}
	if err == nil {
		err = s.openLog(ctx, beside.Wait)
	}
	if err = cmp.Or(err, beside.Wait()); err != nil {
		return err
	}
	if err := s.checkWhole(); err != nil {
		return err
	}
	if err := s.found(ctx); err != nil {
		return err
	}
	if err := s.openCheckpoints(); err != nil {
		return err
	}
	return s.openWitnesses(ctx)
}

// openLog opens the stream, and the ledger on it once that is prepared. Where the embedded NATS
// server has not kept the stream, although its files looked well, it is made anew, once.
func (s *Server) openLog(ctx context.Context, prepared func() error) error {
	err := s.openStream(ctx)
	if err == nil {
		if err := prepared(); err != nil {
			return err
		}
		if err := s.restoreOutside(ctx); err != nil {
			return err
		}
		err = s.openLedger(ctx)
	}
	lost := errors.Is(err, ledger.ErrLost) || errors.Is(err, stream.ErrUnfit)
	if s.natsd == nil || !lost || prepared() != nil {
		return err
	}
	if err := s.renewStream(ctx, err); err != nil {
		return err
	}
	if s.Stream == nil {
		if err := s.openStream(ctx); err != nil {
			return err
		}
	}
	return s.openLedger(ctx)
}

// CheckpointKey is the public half of the key with which the server signs checkpoints.
func (s *Server) CheckpointKey() string { return s.signer.Key() }

func (s *Server) openJournal() (err error) {
	s.Journal, err = journal.Open(filepath.Join(s.cfg.Dir, JournalFile))
	if err == nil {
		s.onClose(s.Journal.Close)
		s.noteSaved()
	}
	return err
}

func (s *Server) openStream(ctx context.Context) error {
	opened, err := stream.Open(ctx, s.Conn, stream.Config{Replicas: s.cfg.Replicas,
		Log: s.cfg.Log, Notices: s.telling})
	if err == nil {
		s.Stream = opened
		s.onClose(func() error { opened.Close(); return nil })
	}
	return err
}

func (s *Server) prepareLedger() (err error) {
	s.met = s.Journal.Last()
	s.prepared, err = ledger.Prepare(ledger.Config{Journal: s.Journal, Name: s.cfg.Name,
		Clock: s.cfg.Clock, Past: s.cfg.Past,
		Saved: filepath.Join(s.cfg.Dir, StateFile), Faults: s.cfg.Log,
		Observe: s.metrics, ScrubEvery: s.cfg.ScrubEvery, Mend: s.mendRunning})
	return err
}

func (s *Server) openLedger(ctx context.Context) error {
	settle, err := s.fromCopy(ctx)
	if err != nil {
		return err
	}
	if err := s.lookAtNodes(ctx); err != nil {
		return err
	}
	var others ledger.Peers
	if s.peers != nil {
		others = s.peers
	}
	s.Ledger, err = s.prepared.Open(ctx, s.Stream, others)
	s.opened = time.Now()
	if err != nil {
		return err
	}
	s.onClose(s.Ledger.Close)
	return settle()
}

// follow has the projections follow the journal, and waits until they have all that it has now.
func (s *Server) follow(ctx context.Context) error {
	s.ask(s.cfg.Dir, s.Journal, s.signer.Key(), s.reading())
	if !s.cfg.Inside {
		s.Questions.Sessions = s.sessions(s.Ledger.Origin())
		if err := s.openFeeds(); err != nil {
			return err
		}
	}
	return s.project(ctx, s.Journal.Last())
}
