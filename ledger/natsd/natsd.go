// Package natsd runs a NATS server with JetStream inside this process, for whoever has no cluster.
//
// The server is configured from the text of a real nats-server.conf, the same that an administrator
// of a NATS cluster would write, so that there is one language for both and nothing is lost in
// mapping options.
package natsd

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"text/template"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"muster/events"
)

// A Config says where the server keeps its files and whom it listens to.
type Config struct {
	// Dir is the folder for JetStream's files; it is created.
	Dir string
	// Listen is the address for NATS clients from outside, such as 127.0.0.1:4222; empty for none.
	Listen string
	// TLS is how it speaks with clients from outside; nil for in the clear.
	TLS *tls.Config
	// Guests are subjects that all guests may listen to, beside notices of new records.
	Guests []string
	// Named are subjects that the guest with an nkey may listen to besides, by that.
	Named map[string][]string
	// Log receives the server's warnings and errors; nil for none.
	Log server.Logger
}

// How long the server may take to start, and the client to be answered.
const startTimeout = 20 * time.Second

// How long a client may take for its part of the TLS handshake, and then to say who it is: longer
// than a machine stalls that has too much to do.
const (
	tlsTimeout  = 5 * time.Second
	authTimeout = tlsTimeout + time.Second
)

// A Server is a running NATS server. Its methods may be called concurrently.
type Server struct {
	cfg      Config
	password string

	changing sync.Mutex // for Restart and Shutdown
	srv      atomic.Pointer[server.Server]
}

// accountName is the one account, in which the stream is.
const accountName = "MUSTER"

// StreamDir returns the folder in which a server that has dir for its files keeps a stream.
func StreamDir(dir, stream string) string {
	return filepath.Join(dir, "jetstream", accountName, "streams", stream)
}

// conf is the server's configuration. Muster itself is one user, whose answers from JetStream go to
// an inbox that nobody else may use. Everybody else is a guest, who may talk to the micro services
// and listen to notices, and to what is told of the views that were opened to guests, but may
// neither publish where the ledger does nor touch JetStream. Who is let in as which of them, and
// where each guest gets its answers, the door decides.
//
// Guests are answered by a third user, for they say where the answer shall go: what answers must
// not have more rights than who asks, or an answer could be sent into the ledger's subjects. That
// is also why there are no allow_responses: they would let a guest publish anywhere, by sending
// itself a message with that place for the answer.
var conf = template.Must(template.New("nats-server.conf").Parse(`
server_name: muster
{{if .Host}}host: {{printf "%q" .Host}}
port: {{.Port}}{{end}}
jetstream {
  store_dir: {{printf "%q" .Dir}}
}
max_payload: 1MB
write_deadline: "5s"
accounts {
  MUSTER {
    jetstream: enabled
    users: [
      { user: muster, password: {{printf "%q" .Password}} }
      { user: service, password: {{printf "%q" .Password}}, permissions: {
          publish: { allow: ["_INBOX.>"] }
          subscribe: { allow: ["muster.*", "muster.session.*", "$SRV.>", "_SERVICE.>"] }
      } }
      { user: guest, password: guest, permissions: {
          publish: { allow: ["muster.>", "$SRV.>"], deny: [{{.Denied}}] }
          subscribe: { allow: ["_INBOX.>", {{.Heard}}], deny: ["_INBOX.guest.>"] }
      } }
    ]
  }
}
`))

// Start runs a server and returns when it takes connections. The caller stops it with Shutdown.
func Start(cfg Config) (*Server, error) {
	if cfg.Log == nil {
		cfg.Log = silentLog{}
	}
	s := &Server{cfg: cfg, password: rand.Text()}
	if err := s.start(); err != nil {
		return nil, err
	}
	if cfg.Listen != "" { // the port that clients know stays what it is
		host, _, _ := net.SplitHostPort(cfg.Listen)
		_, port, err := net.SplitHostPort(s.srv.Load().Addr().String())
		if err != nil {
			return nil, errors.Join(err, s.Shutdown())
		}
		s.cfg.Listen = net.JoinHostPort(host, port)
	}
	return s, nil
}

func (s *Server) start() error {
	text, err := configText(s.cfg, s.password)
	if err != nil {
		return err
	}
	opts := &server.Options{}
	if err := opts.ProcessConfigString(text); err != nil {
		return fmt.Errorf("nats-server.conf: %w", err)
	}
	opts.NoSigs = true // this process handles its signals itself
	opts.DontListen = s.cfg.Listen == ""
	door := &door{users: opts.Users, more: s.cfg.Named, nameless: isLoopback(s.cfg.Listen)}
	opts.CustomClientAuthentication, opts.AlwaysEnableNonce = door, true
	opts.TLSConfig, opts.TLSTimeout = s.cfg.TLS, tlsTimeout.Seconds()
	opts.AuthTimeout = authTimeout.Seconds()
	srv, err := server.NewServer(opts)
	if err != nil {
		return fmt.Errorf("nats server: %w", err)
	}
	door.srv, door.guests = srv, newRoom(srv)
	log := &startLog{Logger: s.cfg.Log, fatal: make(chan string, 1)}
	srv.SetLoggerV2(log, false, false, false)
	srv.Start()
	if err := log.ready(srv); err != nil {
		srv.Shutdown()
		srv.WaitForShutdown()
		return fmt.Errorf("the NATS server in %s %w", s.cfg.Dir, err)
	}
	s.srv.Store(srv)
	return nil
}

func configText(cfg Config, password string) (string, error) {
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return "", fmt.Errorf("nats folder: %w", err)
	}
	v := struct{ Host, Port, Dir, Password, Denied, Heard string }{Dir: dir, Password: password,
		Denied: quoted(events.SubjectPrefix+">", events.ChangedPrefix+">", notices),
		Heard:  quoted(append([]string{notices}, cfg.Guests...)...)}
	if cfg.Listen != "" {
		if v.Host, v.Port, err = hostPort(cfg.Listen); err != nil {
			return "", err
		}
	}
	var text strings.Builder
	err = conf.Execute(&text, v)
	return text.String(), err
}

// notices are the subjects on which servers say how far the stream, and what they sign, reaches.
const notices = "muster.tip.>"

// quoted are words of the configuration's lists.
func quoted(all ...string) string {
	words := make([]string, len(all))
	for i, one := range all {
		words[i] = strconv.Quote(one)
	}
	return strings.Join(words, ", ")
}

// hostPort reads an address to listen on, and makes sure that it can be had: the NATS server itself
// would wait for it.
func hostPort(listen string) (host, port string, err error) {
	host, port, err = net.SplitHostPort(listen)
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
		return "", "", fmt.Errorf(
			"the address for NATS clients %q: write host:port, such as 127.0.0.1:4222", listen)
	} else if n == 0 {
		port = "-1" // nats-server's way to ask for a free port
	}
	if host == "" {
		host = "0.0.0.0"
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return "", "", fmt.Errorf("the address for NATS clients: %w; is %s free?", err, listen)
	}
	return host, port, l.Close()
}

// Connect opens a connection inside this process, with all rights.
func (s *Server) Connect(opts ...nats.Option) (*nats.Conn, error) {
	return s.connect("muster", opts)
}

// ConnectService opens a connection inside this process that only answers what guests ask.
func (s *Server) ConnectService(opts ...nats.Option) (*nats.Conn, error) {
	// The server reports what it denies.
	silent := nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {})
	return s.connect("service", append([]nats.Option{silent}, opts...))
}

// reconnectWait is how often a connection inside this process looks whether the server, which is
// started anew, is there again.
const reconnectWait = 100 * time.Millisecond

func (s *Server) connect(user string, opts []nats.Option) (*nats.Conn, error) {
	opts = append([]nats.Option{nats.Name(user), nats.InProcessServer(s),
		nats.Timeout(startTimeout), nats.UserInfo(user, s.password),
		nats.ReconnectWait(reconnectWait),
		nats.CustomInboxPrefix("_" + strings.ToUpper(user)), nats.MaxReconnects(-1)}, opts...)
	nc, err := nats.Connect("", opts...)
	if err != nil {
		return nil, fmt.Errorf("connecting to the NATS server inside: %w", err)
	}
	return nc, nil
}

// InProcessConn implements [nats.InProcessConnProvider]: what it returns is to the server that runs
// at the time.
func (s *Server) InProcessConn() (net.Conn, error) {
	return s.srv.Load().InProcessConn()
}

// URL returns the address for clients from outside, or "" when there is none.
func (s *Server) URL() string {
	addr := s.srv.Load().Addr()
	if addr == nil {
		return ""
	}
	if s.cfg.TLS != nil {
		return "tls://" + addr.String()
	}
	return "nats://" + addr.String()
}

// Sync returns how often the server syncs what it was given to the disk; always, where it does so
// before it acknowledges.
func (s *Server) Sync() (every time.Duration, always bool) {
	c := s.srv.Load().JetStreamConfig()
	if c == nil {
		return 0, false
	}
	return c.SyncInterval, c.SyncAlways
}

// Shutdown stops the server and waits until its files are closed.
func (s *Server) Shutdown() error {
	s.changing.Lock()
	defer s.changing.Unlock()
	return s.shutdown()
}

func (s *Server) shutdown() error {
	srv := s.srv.Load()
	srv.Shutdown()
	srv.WaitForShutdown()
	if srv.Running() {
		return errors.New("the NATS server did not stop")
	}
	return nil
}
