package reach

import (
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"os/user"
	"path/filepath"
	"strings"

	"github.com/nats-io/nats.go"

	"muster/events/problem"
)

// A natsContext is a file in which the nats command keeps how a NATS system is reached. That
// command's own library links a language for expressions, and starts programs that a file names; so
// these are the members that matter here, and what cannot be obeyed is refused.
type natsContext struct {
	URL      string `json:"url"`
	User     string `json:"user"`
	Password string `json:"password"`
	Token    string `json:"token"`
	Creds    string `json:"creds"`
	NKey     string `json:"nkey"`
	JWT      string `json:"user_jwt"`
	Seed     string `json:"user_seed"`
	Cert     string `json:"cert"`
	Key      string `json:"key"`
	CA       string `json:"ca"`
	Inbox    string `json:"inbox_prefix"`
	TLSFirst bool   `json:"tls_first"`

	NSC         string `json:"nsc"`
	SocksProxy  string `json:"socks_proxy"`
	Domain      string `json:"jetstream_domain"`
	APIPrefix   string `json:"jetstream_api_prefix"`
	WindowsCert string `json:"windows_cert_store"`
}

// withContext fills in what the context says, where nothing else was said.
func (n NATS) withContext() (NATS, error) {
	if n.Context == "" {
		return n, nil
	}
	c, err := readContext(n.Context)
	if err != nil {
		return n, err
	}
	n.URLs = cmp.Or(n.URLs, c.URL, nats.DefaultURL)
	n.CA = cmp.Or(n.CA, c.CA)
	if n.Cert == "" && n.Key == "" {
		n.Cert, n.Key = c.Cert, c.Key
	}
	if n.Creds == "" && n.NKey == "" && n.User == "" && n.Token == "" {
		n.Creds, n.NKey, n.User, n.Password, n.Token = c.Creds, c.NKey, c.User, c.Password, c.Token
		n.jwt, n.seed = c.JWT, c.Seed
		n.Inbox = cmp.Or(n.Inbox, c.Inbox) // which goes with who one is
	}
	n.tlsFirst, n.Context = c.TLSFirst, ""
	return n, nil
}

func readContext(name string) (c natsContext, err error) {
	home := homeOf()
	config := cmp.Or(os.Getenv("XDG_CONFIG_HOME"), filepath.Join(home, ".config"))
	file := filepath.Join(config, "nats", "context", name+".json")
	text, readErr := os.ReadFile(file)
	switch {
	case name != filepath.Base(name) || strings.HasPrefix(name, "."):
		return c, problem.New(problem.Usage, "--nats-context: %q is no context's name", name)
	case errors.Is(readErr, os.ErrNotExist):
		return c, problem.New(problem.NotFound,
			"--nats-context: there is no context %s: no file %s",
			name, file).
			WithHint("list those that there are with: nats context ls")
	case readErr != nil:
		return c, problem.New(problem.Usage, "--nats-context: %w", readErr)
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return c, problem.New(problem.Invalid,
			"--nats-context: the file %s is no context of the nats command: %w", file, err)
	}
	for _, path := range []*string{&c.Creds, &c.NKey, &c.Cert, &c.Key, &c.CA} {
		*path = strings.TrimPrefix(os.ExpandEnv(*path), "file://")
		if rest, ok := strings.CutPrefix(*path, "~/"); ok {
			*path = filepath.Join(home, rest)
		}
	}
	return c, c.canBeObeyed(file)
}

// homeOf is the user's home folder as the nats command finds it, which asks no variable.
func homeOf() string {
	if u, err := user.Current(); err == nil && u.HomeDir != "" {
		return u.HomeDir
	}
	home, _ := os.UserHomeDir() // without one, files are looked for from the root
	return home
}

// canBeObeyed names the member of a context that would be passed over.
func (c natsContext) canBeObeyed(file string) error {
	for member, value := range map[string]string{"nsc": c.NSC, "socks_proxy": c.SocksProxy,
		"jetstream_domain": c.Domain, "jetstream_api_prefix": c.APIPrefix,
		"windows_cert_store": c.WindowsCert} {
		if value != "" {
			return problem.New(problem.Invalid,
				"--nats-context: %s in %s is nothing that muster can do", member, file).
				WithHint("make a context without it with: nats context copy")
		}
	}
	for member, value := range map[string]string{"creds": c.Creds, "nkey": c.NKey,
		"cert": c.Cert, "key": c.Key,
		"ca": c.CA, "password": c.Password, "token": c.Token, "user_jwt": c.JWT,
		"user_seed": c.Seed} {
		for _, scheme := range []string{"op://", "nsc://", "env://", "data:"} {
			if strings.HasPrefix(value, scheme) {
				return problem.New(problem.Invalid, "--nats-context: %s in %s begins with %s, "+
					"and muster reads files only", member, file, scheme).
					WithHint("put the secret in a file that only you may read, and its path here")
			}
		}
	}
	return nil
}
