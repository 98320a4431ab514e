package policy

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"filippo.io/torchwood"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/proof"
)

// What a policy may have. C2SP asks readers to bear 32 of each at least; a signed note has 100
// signatures at most.
const (
	maxBytes = 64 << 10
	maxEach  = 64   // logs, witnesses, and groups
	maxLine  = 1024 // bytes
)

// none is the quorum that asks for nobody.
const none = "none"

func readFull(r io.Reader, into []byte) (int, error) {
	n, err := io.ReadFull(r, into)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return n, err
}

// A component is a witness or a group, while a policy is read.
type component struct {
	policy torchwood.Policy
	least  int  // how few witnesses can make it
	member bool // of a group
}

type reader struct {
	policy Policy
	named  map[string]*component
	groups int
	keys   map[string]bool // the public halves, whatever they are named
	quorum bool            // its line was there
}

// wrong is what is wrong with a line, and what to write instead.
type wrong struct{ what, remedy string }

func (w *wrong) Error() string { return w.what }

func bad(remedy, format string, args ...any) error {
	return &wrong{fmt.Sprintf(format, args...), remedy}
}

// Parse reads the text of a policy. The error is a problem that names the line and what to write
// there.
func Parse(text []byte) (*Policy, error) {
	if len(text) > maxBytes {
		return nil, problem.New(problem.Invalid, "the policy has more than %d bytes", maxBytes).
			WithHint("is this the right file?")
	}
	r := reader{named: map[string]*component{}, keys: map[string]bool{}}
	for i, line := range strings.Split(string(text), "\n") {
		err := r.line(line)
		var w *wrong
		if errors.As(err, &w) {
			return nil, problem.New(problem.Invalid, "line %d of the policy: %w", i+1, err).
				WithHint("%s", w.remedy)
		}
	}
	if !r.quorum {
		return nil, problem.New(problem.Invalid, "the policy has no line quorum").
			WithHint("end it with: quorum NAME, of a witness or a group above; or with " +
				"quorum none, which asks for nobody")
	}
	return &r.policy, nil
}

func (r *reader) line(line string) error {
	if len(line) > maxLine {
		return bad("is this the right file?", "it has %d bytes", len(line))
	}
	if i := strings.IndexFunc(line, isControl); i >= 0 {
		return bad("save the file as plain text, with the line ends of Unix",
			"it has the control character %q", line[i:i+1])
	}
	line = strings.Trim(line, " \t")
	if line == "" || strings.HasPrefix(line, "#") {
		return nil
	}
	items := strings.FieldsFunc(line, func(c rune) bool { return c == ' ' || c == '\t' })
	switch items[0] {
	case "log":
		return r.log(items[1:])
	case "witness":
		return r.witness(items[1:])
	case "group":
		return r.group(items[1:])
	case "quorum":
		return r.quorumIs(items[1:])
	}
	return bad("a line begins with log, witness, group, quorum, or # for a remark",
		"%.60q is no word of a policy", items[0])
}

func isControl(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }

const logForm = "write: log KEY [URL], with the checkpoint key that the server prints when it " +
	"starts"

func (r *reader) log(items []string) error {
	if len(items) < 1 || len(items) > 2 {
		return bad(logForm, "it has %d items behind log", len(items))
	}
	if len(r.policy.Logs) == maxEach {
		return bad("leave the keys of lost servers out", "there are more than %d logs", maxEach)
	}
	if _, err := proof.CheckpointVerifier(items[0]); err != nil {
		return bad(logForm, "%v", err)
	}
	if err := r.once(items[0]); err != nil {
		return err
	}
	l := Log{Key: items[0]}
	if len(items) == 2 {
		l.URL = items[1]
	}
	r.policy.Logs = append(r.policy.Logs, l)
	return nil
}

const witnessForm = "write: witness NAME KEY [URL], with the key that the witness prints when it " +
	"starts, and the address where it is asked"

func (r *reader) witness(items []string) error {
	if len(items) < 2 || len(items) > 3 {
		return bad(witnessForm, "it has %d items behind witness", len(items))
	}
	if len(r.policy.Witnesses) == maxEach {
		return bad("leave some out", "there are more than %d witnesses", maxEach)
	}
	w := Witness{Name: items[0], Key: items[1]}
	var err error
	if w.verifier, err = torchwood.NewCosignatureVerifier(w.Key); err != nil {
		return bad(witnessForm, "%.100q is no key of a witness: %v", w.Key, err)
	}
	if w.verifier.String() != w.Key || !events.IsSound(publicOf(w.Key)) {
		return bad(witnessForm, "%.100q is no key of a witness that anything can be believed of",
			w.Key)
	}
	if len(items) == 3 {
		w.URL = items[2]
		u, err := url.Parse(w.URL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" ||
			u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return bad("write it such as https://witness.mod.example",
				"%.100q is no address of a witness", w.URL)
		}
	}
	if err := r.once(w.Key); err != nil {
		return err
	}
	err = r.name(w.Name, &component{policy: torchwood.SingleVerifierPolicy(w.verifier), least: 1})
	r.policy.Witnesses = append(r.policy.Witnesses, w)
	return err
}

// publicOf is the public half in a key, what stands behind the algorithm; nil where it has none.
func publicOf(key string) []byte {
	_, hash, _ := strings.Cut(key, "+")
	_, encoded, _ := strings.Cut(hash, "+")
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(data) == 0 {
		return nil
	}
	return data[1:]
}

// once refuses a key that was there: it would count twice.
func (r *reader) once(key string) error {
	public := string(publicOf(key))
	if r.keys[public] {
		return bad("leave one of the two out", "the same key stands above, of this or another name")
	}
	r.keys[public] = true
	return nil
}

func (r *reader) name(name string, c *component) error {
	if name == none {
		return bad("give it another name", "%q is the quorum that asks for nobody", name)
	}
	if r.named[name] != nil {
		return bad("give each witness and each group a name of its own",
			"the name %.60q stands above", name)
	}
	r.named[name] = c
	return nil
}

const groupForm = "write: group NAME HOW-MANY NAME..., with all, any or a number, and the " +
	"names of witnesses and groups above"

func (r *reader) group(items []string) error {
	if len(items) < 3 {
		return bad(groupForm, "it has %d items behind group", len(items))
	}
	if r.groups++; r.groups > maxEach {
		return bad("leave some out", "there are more than %d groups", maxEach)
	}
	name, members := items[0], items[2:]
	var each []torchwood.Policy
	var least []int
	for _, m := range members {
		c := r.named[m]
		switch {
		case c == nil:
			return bad(groupForm, "there is no witness and no group %.60q above", m)
		case c.member:
			return bad("each may be in one group, once", "%.60q is in a group already", m)
		}
		c.member = true
		each, least = append(each, c.policy), append(least, c.least)
	}
	n, ok := howMany(items[1], len(members))
	if !ok {
		return bad(groupForm, "%.60q is no number of members from 1 to %d", items[1], len(members))
	}
	slices.Sort(least)
	c := &component{policy: torchwood.ThresholdPolicy(n, each...)}
	for _, few := range least[:n] {
		c.least += few
	}
	return r.name(name, c)
}

func howMany(word string, members int) (n int, ok bool) {
	switch word {
	case "all":
		return members, true
	case "any":
		return 1, true
	}
	n, err := strconv.Atoi(word)
	return n, err == nil && n >= 1 && n <= members && strconv.Itoa(n) == word
}

func (r *reader) quorumIs(items []string) error {
	if len(items) != 1 {
		return bad("write: quorum NAME, or quorum none", "it has %d items behind quorum",
			len(items))
	}
	if r.quorum {
		return bad("leave one of the two out", "a line quorum stands above")
	}
	r.quorum = true
	if items[0] == none {
		return nil
	}
	c := r.named[items[0]]
	if c == nil {
		return bad("name one that stands above, or none",
			"there is no witness and no group %.60q above", items[0])
	}
	r.policy.quorum, r.policy.least = c.policy, c.least
	return nil
}
