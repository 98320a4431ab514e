// Package natsd runs a NATS server with JetStream inside this process, for whoever has no cluster.
//
// The server is configured from the text of a real nats-server.conf, the same that an administrator of a NATS cluster
// would write, so that there is one language for both and nothing is lost in mapping options.
package natsd

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
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
	// Log receives the server's warnings and errors; nil for none.
	Log server.Logger
}

// How long the server may take to start, and the client to be answered.
const startTimeout = 20 * time.Second

// A Server is a running NATS server.
type Server struct {
	srv      *server.Server
	password string
}

// conf is the server's configuration. Muster itself is one user; everybody else is a guest, who may talk to the micro
// services and listen to notices, but may neither publish into the ledger's subjects nor touch JetStream.
var conf = template.Must(template.New("nats-server.conf").Parse(`
server_name: muster
{{if .Host}}host: {{printf "%q" .Host}}
port: {{.Port}}{{end}}
jetstream {
  store_dir: {{printf "%q" .Dir}}
}
max_payload: 1MB
accounts {
  MUSTER {
    jetstream: enabled
    users: [
      { user: muster, password: {{printf "%q" .Password}} }
      { user: guest, password: guest, permissions: {
          publish: { allow: ["muster.>", "$SRV.>", "_INBOX.>"], deny: ["{{.Subjects}}>", "muster.tip.>"] }
          subscribe: { allow: ["_INBOX.>", "muster.tip.>"] }
          allow_responses: true
      } }
    ]
  }
}
no_auth_user: guest
`))

// Start runs a server and returns when it takes connections. The caller stops it with Shutdown.
func Start(cfg Config) (*Server, error) {
	password := rand.Text()
	text, err := configText(cfg, password)
	if err != nil {
		return nil, err
	}
	opts := &server.Options{}
	if err := opts.ProcessConfigString(text); err != nil {
		return nil, fmt.Errorf("nats-server.conf: %w", err)
	}
	opts.NoSigs = true // this process handles its signals itself
	opts.NoLog = cfg.Log == nil
	opts.DontListen = cfg.Listen == ""
	srv, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("nats server: %w", err)
	}
	if cfg.Log != nil {
		srv.SetLoggerV2(cfg.Log, false, false, false)
	}
	srv.Start()
	if !srv.ReadyForConnections(startTimeout) {
		srv.Shutdown()
		srv.WaitForShutdown()
		return nil, fmt.Errorf("the NATS server did not start within %s; is %s free?", startTimeout, orNone(cfg.Listen))
	}
	return &Server{srv, password}, nil
}

func orNone(listen string) string {
	if listen == "" {
		return "its folder"
	}
	return listen
}

func configText(cfg Config, password string) (string, error) {
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return "", fmt.Errorf("nats folder: %w", err)
	}
	v := struct{ Host, Port, Dir, Password, Subjects string }{Dir: dir, Password: password, Subjects: events.SubjectPrefix}
	if cfg.Listen != "" {
		if v.Host, v.Port, err = net.SplitHostPort(cfg.Listen); err != nil || v.Port == "" {
			return "", fmt.Errorf("the address for NATS clients %q: write host:port, such as 127.0.0.1:4222", cfg.Listen)
		}
		if v.Host == "" {
			v.Host = "0.0.0.0"
		}
		if v.Port == "0" {
			v.Port = "-1" // nats-server's way to ask for a free port
		}
	}
	var text strings.Builder
	err = conf.Execute(&text, v)
	return text.String(), err
}

// Connect opens a connection inside this process, with all rights.
func (s *Server) Connect(opts ...nats.Option) (*nats.Conn, error) {
	opts = append([]nats.Option{nats.Name("muster"), nats.InProcessServer(s.srv), nats.UserInfo("muster", s.password),
		nats.MaxReconnects(-1)}, opts...)
	nc, err := nats.Connect("", opts...)
	if err != nil {
		return nil, fmt.Errorf("connecting to the NATS server inside: %w", err)
	}
	return nc, nil
}

// URL returns the address for clients from outside, or "" when there is none.
func (s *Server) URL() string {
	if s.srv.Addr() == nil {
		return ""
	}
	return "nats://" + s.srv.Addr().String()
}

// Shutdown stops the server and waits until its files are closed.
func (s *Server) Shutdown() error {
	s.srv.Shutdown()
	s.srv.WaitForShutdown()
	if s.srv.Running() {
		return errors.New("the NATS server did not stop")
	}
	return nil
}
