package main

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/proof"
	"muster/ledger/proof/policy"
	"muster/projections/web"
)

func (a *app) trustCmd() *cobra.Command {
	return group("trust", "Which ledgers' keys are believed on this machine, and what was seen",
		a.trustListCmd(), a.trustAddCmd(), a.trustRemoveCmd())
}

// A trustedLedger is what is remembered of a ledger. Its JSON members are added to, never renamed.
type trustedLedger struct {
	Origin events.Origin  `json:"origin"`
	Keys   []trustedKeyOf `json:"keys"`
	// Waiting is how many checkpoints came from elsewhere than a server, and wait to be compared.
	Waiting int `json:"waiting"`
	// Evidence are the files of checkpoints that cannot both be true.
	Evidence []string `json:"evidence"`
	// Policy is the file with its witnesses, "" where none is remembered.
	Policy string `json:"policy,omitempty"`
	// Damage is why nothing of it can be used, "" where it can.
	Damage string `json:"damage,omitempty"`
}

// A trustedKeyOf is a checkpoint key, and the last checkpoint that it was seen to have signed:
// without records where none was.
type trustedKeyOf struct {
	Key     string `json:"key"`
	Records int64  `json:"records"`
	Root    string `json:"root,omitempty"`
}

func (a *app) trustListCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "The ledgers that are known here, their keys, and what was seen of them last",
		Long: `List the ledgers that were met from this machine: the keys that must sign their
checkpoints, the last checkpoint of each that was verified, how many others wait to be compared
with what a server shows, and the files of those that could not both be true. Nothing is asked of
a server.`,
		Args: args(),
		RunE: func(*cobra.Command, []string) error {
			m, err := a.memory()
			if err != nil {
				return err
			}
			all, err := m.All()
			if err != nil {
				return problem.New(problem.Unavailable, "what is remembered, in %s: %w", m.Dir, err)
			}
			return trustListing(m, all).write(a.format, a.stdout)
		},
	}
}

func trustListing(m proof.Memory, all []proof.Remembered) listing {
	answer := struct {
		Folder  string          `json:"folder"`
		Ledgers []trustedLedger `json:"ledgers"`
	}{m.Dir, []trustedLedger{}}
	l := listing{nil, web.Table{Head: []string{"ledger", "key", "records", "waiting", "evidence"}}}
	for _, r := range all {
		t := trustedLedger{Origin: r.Origin, Keys: []trustedKeyOf{}, Waiting: len(r.Waiting),
			Evidence: append([]string{}, r.Evidence...), Policy: m.Policy(r.Origin)}
		if r.Damage != nil {
			t.Damage = problem.From(r.Damage).Detail
			l.Below = append(l.Below, t.Damage)
		}
		for _, key := range r.Keys {
			k := trustedKeyOf{Key: key}
			if v, err := proof.CheckpointVerifier(key); err == nil {
				if c, ok := r.By[proof.KeyID(v)]; ok {
					k.Records, k.Root = c.N, c.Hash.String()
				}
			}
			t.Keys = append(t.Keys, k)
		}
		answer.Ledgers = append(answer.Ledgers, t)
		for i := range max(1, len(t.Keys)) {
			key, records := "none", "-"
			if i < len(t.Keys) {
				key, records = t.Keys[i].Key, fmt.Sprint(t.Keys[i].Records)
			}
			l.Add(t, string(t.Origin), key, records, fmt.Sprint(t.Waiting),
				fmt.Sprint(len(t.Evidence)))
		}
		if t.Policy != "" {
			l.Below = append(l.Below, fmt.Sprintf("the witnesses of %s are in: %s", t.Origin,
				t.Policy))
		}
		for _, file := range t.Evidence {
			l.Below = append(l.Below, "evidence of another history: "+file)
		}
	}
	if len(all) == 0 {
		l.Above = []string{"No ledger was met from this machine, and no key was added."}
	}
	l.answer = answer
	return l
}

func (a *app) trustAddCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "add KEY|POLICY",
		Short: "Believe a checkpoint key from now on, or ask for witnesses",
		Long: `Believe a ledger's checkpoint key, as the server prints it when it starts, or the
file that holds it. Have it from somebody whom you trust, and not from the server alone: with it,
the first contact with the ledger is no matter of belief. Each server of a ledger has a key of its
own.

With the file of a policy, which names the ledger's keys and its witnesses, that is remembered in
the place of any before, and every command asks for these witnesses as if --policy named the file.`,
		Example: "  muster trust add muster.example/berlin+1a2b3c4d+Aet…\n" +
			"  muster trust add witnesses.policy",
		Args: args("KEY|POLICY"),
		RunE: func(_ *cobra.Command, args []string) error {
			if text, p := policyIn(args[0]); p != nil {
				return a.trustPolicy(text, p)
			}
			key, v, err := checkpointKeyFrom(args[0])
			if err != nil {
				return err
			}
			m, known, err := a.remembered(events.Origin(v))
			if err == nil {
				err = m.Trust(key)
			}
			if err != nil {
				return cannotKeep(m, err)
			}
			others := len(known.Keys)
			for _, k := range known.Keys {
				if k == key {
					fmt.Fprintf(a.stderr, "muster: %s was trusted before\n", keyName(key))
					return nil
				}
			}
			fmt.Fprintf(a.stderr, "muster: %s is trusted from now on", keyName(key))
			if others > 0 {
				fmt.Fprintf(a.stderr, ", beside %s of the same ledger",
					english.Several(int64(others), "other key"))
			}
			fmt.Fprintln(a.stderr)
			return nil
		},
	}
}

// policyIn reads the file of a policy; nil where it is none.
func policyIn(file string) ([]byte, *policy.Policy) {
	if file == "-" {
		return nil, nil
	}
	text, err := readInput(file)
	if err != nil {
		return nil, nil
	}
	p, err := policy.Parse(text)
	if err != nil {
		return nil, nil
	}
	return text, p
}

// trustPolicy remembers a policy for each ledger whose keys it names, and these.
func (a *app) trustPolicy(text []byte, p *policy.Policy) error {
	if len(p.Logs) == 0 {
		return usage("the policy names no ledger").
			WithHint("write a line with its checkpoint key into the file: log KEY")
	}
	for _, l := range p.Logs {
		v, err := proof.CheckpointVerifier(l.Key)
		if err != nil {
			return err
		}
		m, _, err := a.remembered(events.Origin(v.Name()))
		if err == nil {
			err = errors.Join(m.Trust(l.Key), m.KeepPolicy(events.Origin(v.Name()), text))
		}
		if err != nil {
			return cannotKeep(m, err)
		}
		fmt.Fprintf(a.stderr, "muster: %s is trusted, and its ledger is asked for witnesses (%d, "+
			"of which at least %d are to have signed) from now on\n", keyName(l.Key),
			len(p.Witnesses), p.Needs())
	}
	return nil
}

func (a *app) trustRemoveCmd() *cobra.Command {
	var sure bool
	c := &cobra.Command{
		Use:   "remove KEY|LEDGER",
		Short: "Believe a checkpoint key no more, or begin anew with a ledger",
		Long: `Believe a checkpoint key no more; what it has signed and was seen is kept, so that it
is held against that should the key be trusted again. Or set all aside that is remembered of a
ledger, by its name: the next contact is then the first, at which the key that the server tells is
trusted, and a server that shows another history than before is not noticed. Nothing is deleted:
what is set aside, and the evidence in it, is in the folder that is printed. Without --yes, it is
said what would be done, and nothing is.`,
		Example: "  muster trust remove muster.example/berlin+1a2b3c4d+Aet… --yes\n" +
			"  muster trust remove muster.example/berlin --yes",
		Args: args("KEY|LEDGER"),
		RunE: func(_ *cobra.Command, args []string) error {
			if strings.Contains(args[0], "+") {
				return a.removeKey(args[0], sure)
			}
			return a.removeLedger(events.Origin(args[0]), sure)
		},
	}
	c.Flags().BoolVar(&sure, "yes", false, "do it")
	return c
}

func (a *app) removeKey(text string, sure bool) error {
	key, origin, err := checkpointKeyFrom(text)
	if err != nil {
		return err
	}
	m, known, err := a.remembered(events.Origin(origin))
	if err != nil {
		return cannotKeep(m, err)
	}
	then := "its checkpoints are refused"
	if len(known.Keys) == 1 && known.Keys[0] == key {
		then = "no key of the ledger is known, and the next contact trusts the one that the " +
			"server tells: add the right one before that"
	}
	if !sure {
		return usage("%s would not be trusted any more; then %s", keyName(key), then).
			WithHint("if that is meant, type it again with --yes")
	}
	if err := m.Distrust(key); err != nil {
		return cannotKeep(m, err)
	}
	fmt.Fprintf(a.stderr, "muster: %s is not trusted any more: %s\n", keyName(key), then)
	return nil
}

func (a *app) removeLedger(origin events.Origin, sure bool) error {
	m, err := a.memory()
	if err != nil {
		return cannotKeep(m, err)
	}
	if !sure {
		return usage("all that is remembered of the ledger %s would be set aside: the next "+
			"contact with it is the first, and another history than before is not noticed",
			problem.Name(string(origin))).
			WithHint("if that is meant, type it again with --yes")
	}
	aside, err := m.SetAside(origin, time.Now())
	if err != nil {
		return cannotKeep(m, err)
	}
	fmt.Fprintf(a.stderr, "muster: nothing is remembered of the ledger %s any more; what was is "+
		"in %s\n", origin, aside)
	return nil
}

// remembered is the memory, and what it has of a ledger.
func (a *app) remembered(origin events.Origin) (m proof.Memory, known proof.Known, err error) {
	if m, err = a.memory(); err == nil {
		known, err = m.Of(origin)
	}
	return m, known, err
}

// checkpointKeyFrom reads a checkpoint key, or the file that holds it, and tells whose it is.
func checkpointKeyFrom(arg string) (key, origin string, err error) {
	if !strings.Contains(arg, "+") {
		text, err := readInput(arg)
		if err != nil {
			return "", "", err
		}
		arg = string(text)
	}
	if key, err = proof.ParseKey(arg); err != nil {
		return "", "", err
	}
	v, err := proof.CheckpointVerifier(key)
	if err != nil {
		return "", "", err
	}
	return key, v.Name(), nil
}

// keyName is how signatures name a key.
func keyName(key string) string { return key[:strings.LastIndex(key, "+")] }

func cannotKeep(m proof.Memory, err error) error {
	if problem.Of(err) != nil {
		return err
	}
	return problem.New(problem.Unavailable, "what is remembered, in %s, cannot be changed: %w",
		cmp.Or(m.Dir, "the user's configuration"), err).
		WithHint("name a folder that you may write to in MUSTER_CONFIG")
}
