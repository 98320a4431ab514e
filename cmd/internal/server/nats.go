package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"muster/cmd/internal/files"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/ledger/natsd"
	"muster/ledger/peers"
	"muster/ledger/stream"
)

// lasts are the options of a connection that is for as long as the server runs: also when it was
// refused for a time, as while passwords are changed.
func (s *Server) lasts() []nats.Option {
	return []nats.Option{nats.MaxReconnects(-1), nats.IgnoreAuthErrorAbort(), s.natsErrors()}
}

// stays is lasts of a connection of which it is logged when it is lost, and there again.
func (s *Server) stays() []nats.Option {
	return append(s.lasts(),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil { // otherwise the server has closed it
				s.cfg.Log.Warn("nats: the connection is lost", "error", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			s.cfg.Log.Warn("nats: connected again", "address", nc.ConnectedAddr())
		}))
}

// NATSURL is where the embedded NATS server takes clients of this machine, "" when nowhere, and on
// a cluster.
func (s *Server) NATSURL() string { return s.NATSAt().URL() }

// NATSAt is where the embedded NATS server takes clients.
func (s *Server) NATSAt() Place {
	if s.natsd == nil {
		return ""
	}
	return Place(s.natsd.URL())
}

// openNATS starts the embedded NATS server, unless there is a cluster, and connects.
func (s *Server) openNATS() (err error) {
	for _, file := range append(s.cfg.NATS.SecretFiles(), s.cfg.NATSService.SecretFiles()...) {
		if warning := files.Exposed(file); warning != "" {
			s.cfg.Log.Warn(warning)
		}
	}
	if s.cfg.NATS.Given() {
		if s.cfg.NATSListen != "" {
			return problem.New(problem.Usage,
				"--nats-listen is for the embedded NATS server, and --nats for another: "+
					"give one of them")
		}
		// What is published while the line is broken must not be sent when it is whole again: by
		// then the log may end elsewhere.
		s.Conn, err = s.cfg.NATS.Connect("_MUSTER", append(s.stays(), nats.ReconnectBufSize(-1))...)
		s.warnOfTheClear(err)
	} else {
		if len(s.cfg.Without) > 0 {
			return problem.New(problem.Usage,
				"--without is for the servers of a NATS cluster: give --nats, too")
		}
		cfg := natsd.Config{Dir: filepath.Join(s.cfg.Dir, NATSFolder),
			Listen: s.cfg.NATSListen, Log: natsLog{s.cfg.Log}}
		if s.certificate != nil && cfg.Listen != "" {
			cfg.TLS = s.certificate.config()
		}
		if err := s.nameViews(); err != nil {
			return err
		}
		cfg.Guests, cfg.Named = s.heardBy()
		s.natsd, err = natsd.Start(cfg)
		if err != nil {
			return problem.New(problem.Unavailable, "%w", err).
				WithHint("look whether the user who runs the server may write all that is in %s, "+
					"and whether it has space; the journal beside it has every record", cfg.Dir)
		}
		s.onClose(s.natsd.Shutdown)
		s.Conn, err = s.natsd.Connect(s.natsErrors())
	}
	if err != nil {
		return err
	}
	s.onClose(func() error { s.Conn.Close(); return nil })
	return s.openTelling()
}

// openPeers begins to answer the other servers of a cluster, and to remember them. The embedded
// server's stream is this server's alone.
func (s *Server) openPeers() (err error) {
	if s.natsd != nil {
		return nil
	}
	s.peers, err = peers.Open(peers.Config{Conn: s.Conn, Stream: stream.DefaultName,
		Journal: s.Journal, Name: s.cfg.Name, Without: s.cfg.Without, Log: s.cfg.Log,
		File:  filepath.Join(s.cfg.Dir, PeersFile),
		Write: func(file string, data []byte) error { return files.Replace(file, 0o600, data) }})
	if err == nil {
		s.onClose(s.peers.Close)
	}
	return err
}

// lookAtNodes tells the peers whether the cluster's nodes write to the disk what they acknowledge,
// and looks again now and then, until the server stops, where they tell.
func (s *Server) lookAtNodes(ctx context.Context) error {
	if s.peers == nil {
		return nil
	}
	nodes, err := s.lookOnce(ctx, nil)
	told := func(n stream.Node) bool { return n.Told }
	if err != nil || !slices.ContainsFunc(nodes, told) {
		return err
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if nodes, err = s.lookOnce(ctx, nodes); err != nil {
					s.cfg.Log.Error("how the NATS nodes keep their files", "error", err)
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	s.onClose(func() error {
		stop()
		<-done
		return nil
	})
	return nil
}

// lookOnce asks the nodes, and says what is otherwise than before. Of nodes that cannot be asked it
// is not known that they sync always.
func (s *Server) lookOnce(ctx context.Context, before []stream.Node) ([]stream.Node, error) {
	nodes, err := stream.Nodes(ctx, s.Conn, stream.DefaultName)
	if ctx.Err() != nil {
		return before, nil
	}
	if err != nil {
		s.cfg.Log.Warn("the NATS nodes do not tell how they keep their files", "error", err)
	}
	if !slices.Equal(nodes, before) {
		s.sayNodes(nodes)
	}
	return nodes, s.peers.Synced(err == nil && stream.SyncAlways(nodes))
}

// lookEvery is how often nodes are asked how they keep their files: one that was started anew may
// do otherwise than before.
const lookEvery = time.Minute

// sayNodes names the nodes from which a power cut can take what they have acknowledged.
func (s *Server) sayNodes(nodes []stream.Node) {
	for _, n := range nodes {
		switch {
		case !n.Told:
			s.cfg.Log.Info("a NATS node does not tell how it keeps its files: see that its "+
				"configuration says sync_interval: always", "node", n.Name)
		case !n.SyncAlways:
			s.cfg.Log.Warn("a NATS node acknowledges what is not on its disk yet: a power cut can "+
				"take the end of the stream, which only journals have then; write sync_interval: "+
				"always into its configuration", "node", n.Name, "sync_interval", n.SyncInterval)
		}
	}
}

// warnOfTheClear says that what goes to a cluster on other machines can be heard on the way.
func (s *Server) warnOfTheClear(err error) {
	if err != nil {
		return
	}
	addr, bad := net.ResolveTCPAddr("tcp", s.Conn.ConnectedAddr())
	_, clear := s.Conn.TLSConnectionState()
	if clear != nil && bad == nil && !addr.IP.IsLoopback() {
		s.cfg.Log.Warn("the records pass in the clear on their way to NATS: write its addresses as tls://, "+
			"unless the line is safe otherwise", "address", s.Conn.ConnectedAddr())
	}
}

// openService registers the micro service (NATS ADR-32), so that the ordinary nats command finds
// it.
func (s *Server) openService() error {
	conn, err := s.serviceConn()
	if err != nil {
		return err
	}
	svc, err := micro.AddService(conn, micro.Config{Name: "muster", Version: s.cfg.Version,
		Description: "A coalition's ledger of pledges",
		Metadata:    map[string]string{"origin": string(s.Ledger.Origin()), "server": s.cfg.Name}})
	if err != nil {
		return fmt.Errorf("the NATS micro service: %w", err)
	}
	if s.natsd == nil {
		leave, err := s.Questions.MeetPeers(s.Conn)
		if err != nil {
			return fmt.Errorf("the sessions of the cluster: %w", err)
		}
		s.onClose(leave)
	}
	known := s.Questions.KnownNATS(s.access.overNATS(s.countNATS(svc)))
	waitSubmits, err1 := intake.RegisterNATS(known, s.watched(), s.cfg.Log)
	waitQuestions, err2 := s.Questions.RegisterNATS(known)
	err3 := intake.RegisterTreeNATS(known, s.Journal, s.Questions, s.cfg.Log)
	err4 := s.registerStatus(known)
	s.publishCheckpoints()
	s.onClose(func() error {
		err := svc.Stop()
		waitSubmits()
		waitQuestions()
		return err
	})
	// only when it was sent is it there for whoever asks
	return errors.Join(err1, err2, err3, err4, conn.Flush())
}

// serviceConn returns the connection that answers over NATS: with the embedded server one of its
// own, since whoever asks says where the answer goes; with an outside cluster that of
// --nats-service.
func (s *Server) serviceConn() (conn *nats.Conn, err error) {
	switch {
	case s.natsd != nil:
		conn, err = s.natsd.ConnectService()
	case s.cfg.NATSService.Given():
		conn, err = s.cfg.NATSService.Connect("_SERVICE", s.stays()...)
	default:
		s.cfg.Log.Warn("who asks over NATS is answered with this server's own rights, " +
			"and says where the answer goes: give --nats-service a user that may publish to " +
			"_INBOX.> only (deploy/nats-server.conf)")
		return s.Conn, nil
	}
	if err == nil {
		s.onClose(func() error { conn.Close(); return nil })
	}
	return conn, err
}

// natsLog passes on what the embedded NATS server reports and a person should see.
type natsLog struct{ *slog.Logger }

func (l natsLog) Noticef(string, ...any) {}
func (l natsLog) Debugf(string, ...any)  {}
func (l natsLog) Tracef(string, ...any)  {}
func (l natsLog) Warnf(format string, v ...any) {
	if strings.Contains(format, "Plaintext passwords") {
		return // the only password is made at random at each start and never leaves the process
	}
	l.Warn(natsSource(format), "says", fmt.Sprintf(format, v...))
}
func (l natsLog) Errorf(format string, v ...any) {
	level := slog.LevelError
	if strings.Contains(format, "TLS handshake error") ||
		strings.Contains(format, "authentication error") {
		level = slog.LevelWarn // a stranger's, and none of this server
	}
	l.Log(context.Background(), level, natsSource(format), "says", fmt.Sprintf(format, v...))
}
func (l natsLog) Fatalf(format string, v ...any) { l.Errorf(format, v...) }

// ofClient finds in a line of the NATS server the connection that has caused it.
var ofClient = regexp.MustCompile(` - [a-z_]+:\d+ - `)

// natsSource tells of whom a line is: a client can have lines of its own as often as it likes.
func natsSource(format string) string {
	if ofClient.MatchString(format) {
		return "nats: a client"
	}
	return "nats: the server"
}

// natsErrors tells what goes wrong on a connection without anybody waiting for it, such as an
// answer that may not be delivered where a client has asked for it.
func (s *Server) natsErrors() nats.Option {
	return nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
		subject := ""
		if sub != nil {
			subject = sub.Subject
		}
		s.cfg.Log.Warn("nats: a connection of this server", "error", err, "subject", subject)
	})
}
