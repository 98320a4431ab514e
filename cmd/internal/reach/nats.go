package reach

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"muster/events/problem"
	"muster/ledger/natsd"
)

// A NATS says where NATS servers are, whom to believe, and as whom to come. Its files are read
// again for each connection, also when one is made anew: what was renewed is used.
type NATS struct {
	URLs    string // comma-separated
	Context string // the name of a context of the nats command, which says what is not said here

	// As whom: one of these ways, or none.
	Creds          string // the file of a JWT with its nkey
	NKey           string // the file of an nkey's seed
	User, Password string
	Token          string

	CA        string // the file of the authorities to believe, in the place of the machine's
	Cert, Key string // the files of a certificate of one's own
	Inbox     string // the prefix of one's inboxes; one that fits when ""

	jwt, seed string // of a context that has them in itself
	tlsFirst  bool   // of a context
}

// Given reports whether it was said where NATS servers are.
func (n NATS) Given() bool { return n.URLs != "" || n.Context != "" }

// Or fills in from another what was not said of where the servers are and whom to believe.
func (n NATS) Or(other NATS) NATS {
	if n.URLs == "" && n.Context == "" {
		n.Context = other.Context
	}
	if n.Context == "" || n.Context == other.Context {
		n.URLs = cmp.Or(n.URLs, other.URLs)
		n.CA = cmp.Or(n.CA, other.CA)
		if n.Cert == "" && n.Key == "" {
			n.Cert, n.Key = other.Cert, other.Key
		}
	}
	return n
}

// SecretFiles are the files that nobody else should be able to read.
func (n NATS) SecretFiles() (names []string) {
	n, err := n.withContext()
	if err != nil {
		return nil // Connect says so
	}
	for _, name := range []string{n.Creds, n.NKey, n.Key} {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}

// Connect connects. The prefix of inboxes is for where none was said. The error shows no secret.
func (n NATS) Connect(inbox string, opts ...nats.Option) (*nats.Conn, error) {
	n, err := n.withContext()
	if err != nil {
		return nil, err
	}
	who, err := n.who()
	if err != nil {
		return nil, err
	}
	line, err := n.line()
	if err != nil {
		return nil, err
	}
	if inbox = cmp.Or(n.Inbox, inbox); inbox != "" {
		line = append(line, nats.CustomInboxPrefix(inbox))
	}
	all := append(append([]nats.Option{nats.Name("muster"), silent}, awake...), line...)
	nc, err := nats.Connect(n.URLs, append(append(all, who...), opts...)...)
	if err != nil {
		return nil, n.explain(err)
	}
	if err := n.mayListen(nc); err != nil {
		nc.Close()
		return nil, err
	}
	return nc, nil
}

const dialTimeout = 2 * time.Second

// awake has a connection leave a NATS server that hangs, or that is cut off, within 4 seconds, and
// go to another. Without it nats.go waits for up to 6 minutes for such a server to answer, and for
// one in which what is published may be stuck. The others of a cluster take about as long to do
// without it (deploy/nats-server.conf).
var awake = []nats.Option{
	nats.PingInterval(time.Second),
	nats.MaxPingsOutstanding(2),
	nats.FlusherTimeout(3 * time.Second),
	nats.Timeout(dialTimeout), // for each server that is tried
	nats.SetCustomDialer(boundedDialer{dialTimeout}),
	nats.ReconnectWait(250 * time.Millisecond),
	nats.ReconnectJitter(100*time.Millisecond, 250*time.Millisecond),
}

// silent has nothing written to the standard error beside what is returned.
var silent = nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {})

// mayListen makes sure that answers can come: who may not listen to its inbox would wait for each
// in vain.
func (n NATS) mayListen(nc *nats.Conn) error {
	inbox := nc.NewInbox() + ".*" // as requests do
	sub, err := nc.SubscribeSync(inbox)
	if err != nil {
		return n.explain(err)
	}
	if err := nc.Flush(); err != nil { // a refusal comes before the answer to this
		return n.explain(err)
	}
	if errors.Is(nc.LastError(), nats.ErrPermissionViolation) {
		return problem.New(problem.Unavailable,
			"NATS at %s does not let %s listen to its inboxes, such as %s",
			n.shown(), n.whom(), inbox).
			WithCode("nats-refused").
			WithHint("have its administrator allow that, " +
				"or name with --nats-inbox the prefix of those that are allowed")
	}
	return sub.Unsubscribe()
}

// ConnectAsGuest connects to ask: with inboxes of one's own, under whatever name one comes by. Who
// has none takes an nkey for this one time, where the server takes guests so (package natsd).
func (n NATS) ConnectAsGuest() (*nats.Conn, error) {
	with, err := n.withContext()
	if err != nil {
		return nil, err
	}
	if name := with.name(); name != "" {
		return n.Connect(natsd.InboxOf(name))
	}
	if !with.nameless() {
		return n.Connect("")
	}
	pair, err := nkeys.CreateUser()
	if err != nil {
		return nil, fmt.Errorf("an nkey: %w", err)
	}
	key, err := pair.PublicKey()
	if err != nil {
		return nil, fmt.Errorf("an nkey: %w", err)
	}
	nc, err := n.Connect(natsd.InboxOf(key), nats.Nkey(key, pair.Sign))
	if errors.Is(err, nats.ErrNkeysNotSupported) || errors.Is(err, nats.ErrAuthorization) {
		return n.Connect("") // a cluster that knows its users lets in who has no name, or nobody
	}
	return nc, err
}

func (n NATS) nameless() bool {
	return n.Creds == "" && n.NKey == "" && n.User == "" && n.Token == "" && n.jwt == "" &&
		n.Cert == "" && n.Key == "" &&
		!HasUser(n.URLs)
}

// name is by which name one comes, "" where that is not known, or can be no part of a subject.
func (n NATS) name() string {
	if n.User != "" && !strings.ContainsAny(n.User, " \t\r\n.*>") {
		return n.User
	}
	text, err := os.ReadFile(cmp.Or(n.Creds, n.NKey))
	if err != nil {
		return ""
	}
	pair, err := nkeys.ParseDecoratedNKey(text)
	if err != nil {
		return ""
	}
	defer pair.Wipe()
	key, err := pair.PublicKey()
	if err != nil {
		return ""
	}
	return key
}

// who returns as whom one comes.
func (n NATS) who() (opts []nats.Option, err error) {
	ways := 0
	for _, given := range []bool{n.Creds != "", n.NKey != "", n.User != "", n.Token != "",
		n.jwt != ""} {
		if given {
			ways++
		}
	}
	switch {
	case ways > 1:
		return nil, problem.New(problem.Usage, "NATS is told in several ways who comes").
			WithHint("give one of --nats-creds, --nats-nkey, MUSTER_NATS_USER, " +
				"MUSTER_NATS_TOKEN, and a context that says it")
	case n.Creds != "":
		err = readable("--nats-creds", n.Creds)
		return []nats.Option{nats.UserCredentials(n.Creds)}, err
	case n.NKey != "":
		if err := readable("--nats-nkey", n.NKey); err != nil {
			return nil, err
		}
		opt, err := nats.NkeyOptionFromSeed(n.NKey)
		if err != nil {
			return nil, problem.New(problem.Usage,
				"--nats-nkey: the file %s holds no user's nkey: %w", n.NKey, err)
		}
		return []nats.Option{opt}, nil
	case n.User != "":
		return []nats.Option{nats.UserInfo(n.User, n.Password)}, nil
	case n.Token != "":
		return []nats.Option{nats.Token(n.Token)}, nil
	case n.jwt != "":
		return []nats.Option{nats.UserJWTAndSeed(n.jwt, n.seed)}, nil
	}
	return nil, nil
}

// line returns how TLS is spoken, where it is.
func (n NATS) line() (opts []nats.Option, err error) {
	if n.CA != "" {
		if _, err := readAuthorities("--nats-ca", n.CA); err != nil {
			return nil, err
		}
		opts = append(opts, nats.RootCAs(n.CA))
	}
	if (n.Cert == "") != (n.Key == "") {
		return nil, problem.New(problem.Usage,
			"--nats-cert and --nats-key belong together, and only one of them was given").
			WithHint("give the file of your certificate, and that of its key, both as PEM")
	}
	if n.Cert != "" {
		err := errors.Join(readable("--nats-cert", n.Cert), readable("--nats-key", n.Key))
		if err != nil {
			return nil, err
		}
		opts = append(opts, nats.ClientCert(n.Cert, n.Key))
	}
	if n.tlsFirst {
		opts = append(opts, nats.TLSHandshakeFirst())
	}
	return opts, nil
}

func readable(flag, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return problem.New(problem.Usage, "%s: %w", flag, err)
	}
	return f.Close()
}

var userInfo = regexp.MustCompile(`(^|,|//)[^@/,]*@`)

// HasUser reports whether addresses have a user, a password or a token in them.
func HasUser(urls string) bool { return userInfo.MatchString(urls) }

// shown is what may be shown of the addresses.
func (n NATS) shown() string { return userInfo.ReplaceAllString(n.URLs, "$1…@") }

func (n NATS) explain(err error) error {
	where := n.shown()
	p := problem.New(problem.Unavailable, "no connection to NATS at %s: %w", where, err)
	if explained := problem.Of(explainTLS(where, "--nats-ca", err)); explained != nil {
		return explained
	}
	switch said := err.Error(); {
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired),
		errors.Is(err, nats.ErrAuthRevoked), errors.Is(err, nats.ErrAccountAuthExpired),
		errors.Is(err, nats.ErrNkeysNotSupported):
		return p.WithCode("nats-refused").
			WithHint("it was asked to let in %s; another way is given with "+
				"--nats-creds, --nats-nkey or --nats-context: ask its administrator for one",
				n.whom())
	case errors.Is(err, nats.ErrSecureConnWanted):
		return p.WithHint("it does not speak TLS there: is this its address? " +
			"where nobody can listen in between, leave out tls:// and --nats-ca")
	case strings.Contains(said, "certificate required"), strings.Contains(said, "bad certificate"),
		strings.Contains(said, "unknown certificate authority"),
		strings.Contains(said, "closed by remote after TLS handshake"):
		return p.WithHint("it wants to see a certificate of yours that it believes: " +
			"give it with --nats-cert and --nats-key")
	case errors.Is(err, nats.ErrNoServers), errors.Is(err, nats.ErrTimeout):
		return p.WithHint("is it running there? the server listens for NATS clients with: " +
			"muster serve --nats-listen 127.0.0.1:4222")
	}
	return p.WithHint("are the address and the files right?")
}

// whom says as whom one comes, without a secret.
func (n NATS) whom() string {
	switch {
	case n.Creds != "":
		return "the holder of " + n.Creds
	case n.NKey != "":
		return "the holder of " + n.NKey
	case n.User != "":
		return "the user " + n.User
	case n.nameless():
		return "somebody without a name"
	}
	return "the one that was given"
}
