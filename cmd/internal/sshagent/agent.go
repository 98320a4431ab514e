// Package sshagent signs with a key that an ssh-agent has: the secret may be in a token or a smart
// card behind it, and never comes here. The agent signs the same bytes as a key in a file does, so
// nobody can tell afterwards where the secret was.
package sshagent

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"net"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"muster/events"
	"muster/events/problem"
)

// Prefix is what a key is named with that an agent has.
const Prefix = "agent:"

// A name says which key of an agent is meant.
type name struct {
	event       string // of the event key, such as FRA/paris
	fingerprint string // "" for whichever key has that name as its comment
}

func parseName(text string) (name, error) {
	event, fingerprint, pinned := strings.Cut(strings.TrimPrefix(text, Prefix), "@")
	if !events.ValidKeyName(event) || pinned && !strings.HasPrefix(fingerprint, "SHA256:") {
		return name{}, problem.New(problem.Usage, "--key: %s names no key of an ssh-agent",
			problem.Shorten(text)).
			WithHint("write agent:NAME, where the key's comment is NAME, such as FRA/paris; or " +
				"agent:NAME@SHA256:…, with the fingerprint that ssh-add -l shows")
	}
	return name{event, fingerprint}, nil
}

// Open finds the key that text names, "agent:FRA/paris" or "agent:FRA/paris@SHA256:…", in the agent
// that listens on the socket SSH_AUTH_SOCK. It must be an Ed25519 key (RFC 8709). The first form
// means the one key whose comment is the event key's name, and the second whichever key has the
// fingerprint, for tokens that write comments of their own.
//
// The signer asks the agent each time, which may ask a person in turn. It may be used concurrently.
//
// A text that is no name is a problem.Usage, no agent a problem.Unavailable, no such key, or two, a
// problem.NotFound, and another kind of key a problem.Invalid.
func Open(text string) (*events.Signer, error) {
	n, err := parseName(text)
	if err != nil {
		return nil, err
	}
	a, end, err := dial()
	if err != nil {
		return nil, err
	}
	defer end()
	key, err := n.find(a)
	if err != nil {
		return nil, err
	}
	public, err := ed25519Of(n, key)
	if err != nil {
		return nil, err
	}
	s, err := events.NewSignerWith(n.event, public, func(text []byte) ([]byte, error) {
		return sign(key, public, text)
	})
	if err != nil {
		return nil, problem.New(problem.Invalid, "the key %s of the ssh-agent: %w", key.Comment,
			err)
	}
	return s, nil
}

// dial connects to the agent of the environment.
func dial() (a agent.ExtendedAgent, end func(), err error) {
	const variable = "SSH_AUTH_SOCK"
	socket := os.Getenv(variable)
	if socket == "" {
		return nil, nil, problem.New(problem.Unavailable,
			"there is no ssh-agent: %s does not say where it listens", variable).
			WithHint("start one, and give it the key: eval $(ssh-agent); ssh-add FILE")
	}
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return nil, nil, problem.New(problem.Unavailable, "no ssh-agent answers: %w", err).
			WithHint("%s names its socket: see that the agent runs, and that it is yours", variable)
	}
	return agent.NewClient(conn), func() { _ = conn.Close() }, nil
}

// find returns the one key that is meant.
func (n name) find(a agent.Agent) (*agent.Key, error) {
	all, err := a.List()
	if err != nil {
		return nil, problem.New(problem.Unavailable, "the ssh-agent does not say which keys it "+
			"has: %w", err).WithHint("look whether it answers: ssh-add -l")
	}
	var found []*agent.Key
	var there []string
	for _, key := range all {
		mark := ssh.FingerprintSHA256(key)
		if n.fingerprint == mark || n.fingerprint == "" && key.Comment == n.event {
			found = append(found, key)
		}
		there = append(there, key.Comment+"@"+mark)
	}
	switch {
	case len(all) == 0:
		return nil, problem.New(problem.NotFound, "the ssh-agent has no key").
			WithHint("give it one with ssh-add FILE, or unlock it with ssh-add -X")
	case len(found) == 0:
		return nil, problem.New(problem.NotFound, "the ssh-agent has no key %s; it has %s",
			cmp.Or(n.fingerprint, n.event), strings.Join(there, ", ")).
			WithHint("a key is found by its comment, which ssh-keygen -c -C %s -f FILE sets, or "+
				"by its fingerprint: agent:%s@SHA256:…", n.event, n.event)
	case len(found) > 1:
		return nil, problem.New(problem.NotFound, "the ssh-agent has %d keys with the comment %s",
			len(found), n.event).
			WithHint("say which is meant: agent:%s@%s", n.event, ssh.FingerprintSHA256(found[0]))
	}
	return found[0], nil
}

// ed25519Of returns the 32 bytes of an Ed25519 key.
func ed25519Of(n name, key *agent.Key) (ed25519.PublicKey, error) {
	public, err := ssh.ParsePublicKey(key.Blob)
	if err == nil && public.Type() == ssh.KeyAlgoED25519 {
		if of, ok := public.(ssh.CryptoPublicKey); ok {
			if raw, ok := of.CryptoPublicKey().(ed25519.PublicKey); ok {
				return raw, nil
			}
		}
	}
	why := "statements are signed with Ed25519"
	if key.Format == ssh.KeyAlgoSKED25519 {
		why = "such a token signs a counter of its own as well, and not the statement alone"
	}
	return nil, problem.New(problem.Invalid, "the key %s of the ssh-agent is of the kind %s, and "+
		"%s", n.event, key.Format, why).
		WithHint("make one with: ssh-keygen -t ed25519 -C %s", n.event)
}

// sign has the agent sign a text. It connects anew, for a person may take his time to say yes.
func sign(key *agent.Key, public ed25519.PublicKey, text []byte) ([]byte, error) {
	a, end, err := dial()
	if err != nil {
		return nil, err
	}
	defer end()
	s, err := a.Sign(key, text)
	if err != nil {
		return nil, problem.New(problem.NotAllowed, "the ssh-agent has not signed: %w", err).
			WithHint("a key may be gone, or locked; one that was given with ssh-add -c asks a " +
				"person each time: nothing was sent")
	}
	if s.Format != ssh.KeyAlgoED25519 || !ed25519.Verify(public, text, s.Blob) {
		return nil, problem.New(problem.Unverified, "the ssh-agent has signed something else").
			WithHint("nothing was sent: look what listens on SSH_AUTH_SOCK")
	}
	return bytes.Clone(s.Blob), nil
}

// Named reports whether text names a key of an agent, and not a file.
func Named(text string) bool { return strings.HasPrefix(text, Prefix) }
