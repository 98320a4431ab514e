// Package hooks tells other programs what is recorded, at addresses that the operator has written
// into a file: webhooks, in the form of Standard Webhooks (standardwebhooks.com).
//
// Each hook reads the log for itself, in its own view, from the record after the last one that its
// receiver has taken, and tells one record at a time:
//
//	next record that the hook may read → body, signed → POST → taken? → position, on the disk
//	                                                     ↑ not taken: again, later and later
//
// The position is kept after the receiver has answered. So a record may be told twice, with the
// same webhook-id, and none is left out, whatever is started anew in between. A receiver that is
// slow or gone delays neither the server nor another hook, and misses nothing: the log is there.
package hooks

import (
	"encoding/base64"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json"

	"muster/events"
	"muster/events/problem"
)

// MaxHooks is how many hooks a server has at most.
const MaxHooks = 16

// How many bytes the secret of a hook has, as Standard Webhooks has it.
const leastSecret, mostSecret = 24, 64

// A Hook is an address that is told what is recorded.
type Hook struct {
	// Name is what logs and metrics call it, and by which its position is kept.
	Name string `json:"name"`
	// URL is where the receiver is: https, or http on this machine.
	URL string `json:"url"`
	// Secret signs what is told: "whsec_" and 24 to 64 bytes in base 64.
	Secret string `json:"secret"`
	// View is whose records and coverage are told; that of the public where nothing is said. Of an
	// organisation it may be a name, which the ledger knows.
	View events.View `json:"view"`
	// Operation restricts it to what is of one, and Coverage has it tell which requirements
	// each record makes met otherwise.
	Operation events.Operation `json:"operation"`
	Coverage  bool             `json:"coverage"`
}

var hookName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// Parse reads the file of a server's hooks: {"hooks": [...]}. What it does not know, it refuses.
// The error is a problem, which repeats no secret.
func Parse(data []byte) ([]Hook, error) {
	var file struct {
		Hooks []Hook `json:"hooks"`
	}
	if err := json.Unmarshal(data, &file, json.RejectUnknownMembers(true)); err != nil {
		return nil, wrong("it is not JSON, or has members that no hook has")
	}
	if len(file.Hooks) > MaxHooks {
		return nil, wrong("it has %d hooks, and a server has %d at most", len(file.Hooks), MaxHooks)
	}
	seen := map[string]bool{}
	for i := range file.Hooks {
		h := &file.Hooks[i]
		if h.View == "" {
			h.View = events.PublicView
		}
		if err := h.check(); err != nil {
			return nil, wrong("hook %d: %w", i+1, err)
		}
		if seen[h.Name] {
			return nil, wrong("hook %d: another one is named %s, too", i+1, h.Name)
		}
		seen[h.Name] = true
	}
	return file.Hooks, nil
}

func wrong(format string, args ...any) error {
	return problem.New(problem.Usage, "the file of hooks: "+format, args...).
		WithHint(`write {"hooks": [{"name": "desk", "url": "https://desk.example/muster", ` +
			`"secret": "whsec_…"}]}, and see "Webhooks" in the README`)
}

// check says what is wrong with a hook.
func (h *Hook) check() error {
	if !hookName.MatchString(h.Name) {
		return fmt.Errorf("its name must be of lower-case letters, digits and hyphens, 40 at most")
	}
	if h.Operation != "" && !h.Operation.Valid() {
		return fmt.Errorf("no operation can have the name %s", problem.Name(string(h.Operation)))
	}
	text, marked := strings.CutPrefix(h.Secret, "whsec_")
	secret, err := base64.StdEncoding.DecodeString(text)
	if !marked || err != nil || len(secret) < leastSecret || len(secret) > mostSecret {
		return fmt.Errorf("its secret must be whsec_ and %d to %d random bytes in base 64",
			leastSecret, mostSecret)
	}
	return h.checkURL()
}

// checkURL refuses an address that would be reached in the clear over a network, or that says more
// than where the receiver is.
func (h *Hook) checkURL() error {
	u, err := url.Parse(h.URL)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return fmt.Errorf("its url must be https:// and an address, without a user or a fragment")
	}
	ip := net.ParseIP(u.Hostname())
	local := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if u.Scheme != "https" && !(u.Scheme == "http" && local) {
		return fmt.Errorf("its url must be https://; http:// is taken on this machine alone")
	}
	return nil
}
