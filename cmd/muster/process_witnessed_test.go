package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/events"
	"muster/ledger/proof"
	"muster/ledger/proof/policy"
)

// That something is recorded, and that it is witnessed, are two things wherever they are said: who
// asks for witnesses is told how many have signed, and is not content with fewer than enough.
func TestWitnessedIsAnotherWord(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	dir := t.TempDir()
	p := serving(t, filepath.Join(dir, "ledger"))
	c := begin(t, p)
	key := p.checkpointKey(t)
	p.stop(t)
	var each [][3]string
	for _, name := range []string{"paris", "oslo", "rome"} {
		w := witnessing(t, filepath.Join(dir, name), "--name", "witness.example/"+name, "--log",
			key)
		each = append(each, [3]string{name, w.key, w.url})
		if name == "rome" {
			if err := w.terminate(); err != nil {
				t.Fatal(err)
			}
		}
	}
	two, three := policyFile(t, key, 2, each...), policyFile(t, key, 3, each...)
	secret := filepath.Join(dir, "paris.key")
	if err := os.WriteFile(secret, []byte(c.secret), 0o600); err != nil {
		t.Fatal(err)
	}
	p = serving(t, p.dir, "--policy", two, "--admin", "127.0.0.1:0")
	p.isHealthy(t)
	metrics := p.awaitAdmin(t)

	u := newUser(t)
	asks := func(policy string, args ...string) []string {
		return append(args, "--url", p.url, "--policy", policy)
	}
	offers := asks(two, "pledge", "offer", "--operation", "mnf-u", "--role", "ground", "--quantity",
		"300", "--key", secret, "--receipt", "offer.receipt")
	out, said := u.content(t, offers...)
	if !strings.Contains(out, "recorded, and so far not witnessed by any of 3") ||
		!strings.Contains(said, "witnessed by 2 of 3: 3 of the 3 records") {
		t.Errorf("it says\n%s%s", out, said)
	}
	receipts := func(code int, says string, args ...string) {
		t.Helper()
		got, out, said := u.types(t, append([]string{"receipt", "offer.receipt"}, args...)...)
		if got != code || !strings.Contains(out+said, says) {
			t.Errorf("receipt %v: exit code %d\n%s%s", args, got, out, said)
		}
	}
	receipts(0, "Witnessed:   not by anybody")
	receipts(8, "the statement is recorded as 4, and not witnessed by any of 3", "--policy", two)
	p.awaitWitnessed(t, two, key, recordsOfBegin+1, 2)
	receipts(0, "Witnessed:   the tree of 4 records is witnessed by 2 of 3", "--policy", two,
		"--at", p.url)
	receipts(2, "name it with --at", "--renew")
	receipts(0, "written anew", "--policy", two, "--at", p.url, "--renew")
	receipts(0, "witnessed by 2 of 3 (paris at 20", "--policy", two)
	receipts(0, "not checked: the checkpoint has 2 signatures beside the server's")
	receipts(8, "witnessed by 2 of 3: the policy asks for more, at least 3", "--policy", three)

	out, _ = u.content(t, asks(two, "checkpoint", "-o", "json")...)
	var shown struct {
		Size      int64
		Witnessed policy.Witnessed
	}
	if err := json.Unmarshal([]byte(out), &shown); err != nil || shown.Size != 4 ||
		!shown.Witnessed.Enough || len(shown.Witnessed.By) != 2 {
		t.Errorf("%v: the checkpoint is %s", err, out)
	}
	again, _ := u.content(t, append(offers, "-o", "json", "--receipt", "again.receipt")...)
	if !strings.Contains(again, `"witnessed": {`) || !strings.Contains(again, `"enough": false`) {
		t.Errorf("the receipt is\n%s", again)
	}
	u.content(t, asks(two, "export", "bundle", "witnessed.bundle")...) // at once
	u.content(t, "verify", "witnessed.bundle", "--policy", two)
	if code, _, said := u.types(t, asks(three, "export", "bundle", "three.bundle")...); code != 8 {
		t.Errorf("exit code %d: %s", code, said)
	}
	p.awaitWitnessed(t, two, key, recordsOfBegin+2, 2)
	_, told := get(t, metrics+"/metrics")
	for _, says := range []string{"muster_witnesses 3", "muster_witnesses_failing 1",
		"muster_witnessed_records 5"} {
		if !strings.Contains(told, "\n"+says+"\n") {
			t.Errorf("the metrics have not %s", says)
		}
	}
	u.content(t, "export", "bundle", "all.bundle", "--url", p.url)
	for _, args := range [][]string{{"verify", p.url}, {"verify", "all.bundle"},
		{"verify", "offer.receipt"}} {
		out, _ := u.content(t, append(args, "--policy", two)...)
		if !strings.Contains(out, "verified     witnessed   the tree of ") {
			t.Errorf("%v: it is\n%s", args, out)
		}
		if !strings.Contains(out, "verified     times ") && args[1] != "offer.receipt" {
			t.Errorf("%v: it says nothing of times:\n%s", args, out)
		}
		code, out, said := u.types(t, append(args, "--policy", three)...)
		if code != 8 || !strings.Contains(out, "failed       witnessed   what is recorded is "+
			"witnessed by 2 of 3: the policy asks for more") {
			t.Errorf("%v: exit code %d\n%s%s", args, code, out, said)
		}
	}
	if code, out, said := u.types(t, asks(three, "pledge", "list")...); code != 8 || out != "" ||
		!strings.Contains(said, "is recorded, as it says, and witnessed by 2 of 3") {
		t.Errorf("exit code %d\n%s%s", code, out, said)
	}
	// A policy that is remembered is asked for as one that is named.
	reminded := newUser(t)
	reminded.content(t, "trust", "add", two)
	if out, said := reminded.content(t, "checkpoint", "--url", p.url); !strings.Contains(said,
		"witnessed by 2 of 3") {
		t.Errorf("with a policy that is remembered:\n%s%s", out, said)
	}
	reminded.content(t, "trust", "add", three)
	for _, args := range [][]string{{"pledge", "list", "--url", p.url}, {"verify", p.url},
		{"receipt", filepath.Join(u.dir, "offer.receipt")}} {
		code, out, said := reminded.types(t, args...)
		if code != 8 || !strings.Contains(out+said, "the policy asks for more") {
			t.Errorf("%v, with a policy that is remembered: exit code %d\n%s%s", args, code, out,
				said)
		}
	}
	if out, _ := reminded.content(t, "trust", "list"); !strings.Contains(out, "the witnesses of ") {
		t.Errorf("it is listed as\n%s", out)
	}
	// The keys of the policy are believed, and no others.
	stranger := policyFile(t, newCheckpointKey(t, string(c.origin)), 2, each...)
	if code, out, said := newUser(t).types(t, asks(stranger, "pledge", "list")...); code != 8 {
		t.Errorf("exit code %d\n%s%s", code, out, said)
	}
	p.stop(t)
}

// A record cannot have a time after that at which a witness has signed for it.
func TestOutside(t *testing.T) {
	at := time.Date(2026, 11, 29, 10, 0, 0, 0, time.UTC)
	by := policy.Witnessed{By: []policy.Cosignature{{Witness: "oslo", At: at.Add(time.Hour)},
		{Witness: "paris", At: at}}, Of: 2, Enough: true}
	for after, late := range map[time.Duration]bool{-time.Hour: false, 0: false,
		proof.Skew: false, proof.Skew + time.Second: true, 30 * time.Minute: true} {
		c := checkedReceipt{Sequence: 7, Witnessed: &by,
			Recorded: at.Add(after).Format(events.RecordedForm)}
		err := c.isWitnessed()
		if (err != nil) != late || late && !strings.Contains(fmt.Sprint(err), "paris had signed") {
			t.Errorf("recorded %s after the first has signed: %v", after, err)
		}
	}
}
