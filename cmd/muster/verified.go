package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"muster/cmd/internal/files"
	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/ledger/proof"
	"muster/ledger/proof/remote"
	"muster/projections"
	"muster/projections/web"
	"muster/projections/web/tabular"
)

// notVerifiable are the questions of which no answer follows from the records: what this server is,
// what would be, and what it finds of itself. The log has its own way: see [app.recordPages].
var notVerifiable = []string{"ledger", "preview", "rebuild", "records"}

// A verifiedLedger is all that there is to read of the ledger for who asks, of which everything was
// verified.
type verifiedLedger struct {
	records iter.Seq2[events.Record, error]
	size    uint64
	view    events.View // of who asks, "" for all
	folded  map[foldedAs]*web.Folded
	named   map[string]events.View // those that were looked for in the records
}

// foldedAs says which records were folded: up to which one, and as who sees them.
type foldedAs struct {
	to   uint64
	view events.View
}

// ledgerVerified reads and verifies the ledger up to the checkpoint that was met, once. What was
// read in earlier runs is read from this machine.
func (a *app) ledgerVerified(ctx context.Context) (*verifiedLedger, error) {
	if l := a.verified; l != nil && l.size == uint64(a.contact.seen.N) {
		return l, nil
	}
	url, client, visitor, err := a.treeClient()
	if err != nil {
		return nil, err
	}
	view, err := viewOf(ctx, visitor)
	if err != nil {
		return nil, err
	}
	tiles := a.tilesOf(client, view)
	asking := *client
	asking.Transport = tiles
	r, src, err := a.verifyTiles(ctx, url, view, &asking, tiles)
	if err == nil && !r.OK && tiles.forget() { // it may be what was kept that is damaged
		r, src, err = a.verifyTiles(ctx, url, view, &asking, tiles)
	}
	a.progress("")
	if err != nil || !r.OK {
		tiles.discard()
	}
	switch {
	case err != nil:
		return nil, cannotVerify(err)
	case !r.OK:
		return nil, problem.New(problem.Unverified, "verification failed: %s", r.Fault).
			WithCode(r.Fault.Code).WithHint("change nothing, and see: muster verify %s",
			cmp.Or(strings.TrimPrefix(url, natsHost), "URL, with the server's address"))
	}
	tiles.keep()
	a.verified = &verifiedLedger{records: parsed(ctx, src), size: uint64(a.contact.seen.N),
		view: src.View, folded: map[foldedAs]*web.Folded{}, named: map[string]events.View{}}
	return a.verified, nil
}

// treeClient is how the ledger's tree is read: the server's address, what asks there, and as whom.
// Over NATS it is the same, but for the address.
func (a *app) treeClient() (url string, client *http.Client, v *visitor, err error) {
	if a.nats.Given() {
		nc, err := a.natsAsking()
		client = &http.Client{Transport: overNATS{intake.NATSClient{Conn: nc}}}
		return natsHost, client, a.natsAt, err
	}
	if url, err = a.serverURL(); err != nil {
		return "", nil, nil, err
	}
	client, err = a.httpTo(url)
	return url, client, a.visitors[url], err
}

// verifyTiles verifies all records, as "muster verify" does; and the signatures of those that are
// new.
func (a *app) verifyTiles(ctx context.Context, url string, view events.View, asking *http.Client,
	tiles *keptTiles) (r proof.Report, src proof.Source, err error) {
	if src, err = remote.OfServer(ctx, url, view, asking); err != nil {
		return r, src, err
	}
	src.Tiles = nil // the tree is made of the records
	key := signerAmong(a.contact.keys, src.Checkpoint)
	r, err = proof.Verify(ctx, src, proof.Options{Progress: a.verifyProgress(),
		Key:   proof.TrustedKey{Verifier: key, Why: "is the one that was met"},
		Since: tiles.since(key, a.contact.seen)})
	return r, src, err
}

// viewNamed reads a view that is asked for, that of who asks where none is. An organisation is
// found by its name in the verified records: a server could take the name for that of who may read
// less.
func (l *verifiedLedger) viewNamed(ctx context.Context, text string) (v events.View, err error) {
	v, ok := l.named[text]
	if !ok {
		v, ok = viewNamed(text)
	}
	if !ok {
		if v, err = viewIn(ctx, l.records, text); err != nil {
			return "", err
		}
		l.named[text] = v
	}
	return cmp.Or(v, l.view), nil
}

// fold folds the verified records, up to one, as those see them who have a view.
func (l *verifiedLedger) fold(ctx context.Context, to uint64, view events.View) (*web.Folded,
	error) {
	as := foldedAs{to, view}
	if f := l.folded[as]; f != nil {
		return f, nil
	}
	r := replayable{l.records, l.size, l.view, closeNothing}
	if view != l.view {
		var err error
		if r, err = r.seenIn(ctx, view); err != nil {
			return nil, err
		}
	}
	p, err := projections.Replay(ctx, r.records, to, nil)
	if err != nil {
		return nil, err
	}
	f := web.NewFolded(p, view, r.records)
	clear(l.folded) // one picture at a time is enough
	l.folded[as] = f
	return f, nil
}

// write prints an answer, and says to people below a table whose word it is.
func (a *app) write(answer listing) error {
	answer.RestsOn = a.restsOn(answer.Basis)
	if err := a.arrange(&answer.Table); err != nil {
		return err
	}
	err := answer.write(a.format, a.stdout)
	if err == nil && a.format == "table" && a.contact != nil {
		_, err = fmt.Fprintln(a.stdout, a.whoseWord())
	}
	return err
}

// restsOn says of which ledger an answer is, whose word it is, and the root of the tree of the
// records of which it is, where that is known.
func (a *app) restsOn(b *projections.Basis) (all []tabular.Fact) {
	c := a.contact
	if c == nil {
		return nil
	}
	all = []tabular.Fact{{Name: "ledger", Value: string(c.origin)},
		{Name: "according to", Value: a.whoseWord()}}
	if b == nil || b.AsOf != uint64(c.seen.N) {
		return all
	}
	return append(all, tabular.Fact{Name: "root", Value: c.seen.Hash.String()})
}

// whoseWord is the sentence that says it.
func (a *app) whoseWord() string {
	if v := a.verified; a.answersVerified && v != nil {
		said := fmt.Sprintf("Verified: this follows from the %s of the ledger %s",
			english.Several(int64(v.size), "record"), a.contact.origin)
		if v.view != "" {
			said += fmt.Sprintf(", as far as you may read them (the view %s)", v.view)
		}
		return said + "."
	}
	const how = "; --verify holds it against the records."
	switch {
	case a.nats.Given():
		return "This is according to the server that answers over NATS" + how
	case a.url == "" && a.data != "":
		return "This is according to the server on " + a.data + how
	}
	url, err := a.serverURL()
	if err != nil {
		return "This is according to the server" + how
	}
	return "This is according to the server " + url + how
}

// askVerified asks, and holds the answer against what follows from the verified records. What is
// recorded meanwhile is no difference: it is looked for twice.
func (a *app) askVerified(ctx context.Context, question string, parameters map[string]string,
	answer any) error {
	a.answersVerified = true
	var found *otherAnswer
	for range 2 {
		asked := maps.Clone(parameters)
		if asked == nil {
			asked = map[string]string{}
		}
		asked["min_seq"] = fmt.Sprint(a.contact.seen.N)
		reflect.ValueOf(answer).Elem().SetZero()
		told := a.question(ctx, question, asked, answer)
		if p := problem.From(told); p != nil && !isOfTheLedger(p.Kind) {
			return told
		}
		var err error
		if found, err = a.differs(ctx, question, parameters, answer, told); err != nil {
			return err
		}
		if found == nil {
			return told
		}
		if err := a.meetAgain(ctx); err != nil {
			return err
		}
	}
	return a.otherAnswer(question, found)
}

// isOfTheLedger reports whether a refusal follows from the records and the question alone.
func isOfTheLedger(k problem.Kind) bool {
	return slices.Contains([]problem.Kind{problem.NotFound, problem.Invalid, problem.Usage}, k)
}

// An otherAnswer is what a server has told, and what follows from the records.
type otherAnswer struct {
	told, follows []byte // JSON
	why           string
}

// askToSign asks for what becomes part of a statement: nobody signs a number on a server's word.
func (a *app) askToSign(ctx context.Context, question string, parameters map[string]string,
	answer any) error {
	if _, err := a.meet(ctx); err != nil {
		return err
	}
	return a.askVerified(ctx, question, parameters, answer)
}

// differs holds an answer against what follows from the records; nil where they are the same.
func (a *app) differs(ctx context.Context, question string, parameters map[string]string,
	answer any, told error) (*otherAnswer, error) {
	asOf := asOfIn(answer)
	before := uint64(a.contact.seen.N)
	if asOf > before {
		if err := a.meetAgain(ctx); err != nil {
			return nil, err
		}
	}
	text, err := answerText(answer, told)
	if err != nil {
		return nil, err
	}
	size := uint64(a.contact.seen.N)
	given := parameters["as_of"] != ""
	switch {
	case asOf > size:
		return &otherAnswer{told: text, why: fmt.Sprintf("it is as of record %d, and the server "+
			"has signed %d", asOf, size)}, nil
	case told == nil && !given && asOf > 0 && asOf < before:
		return &otherAnswer{told: text, why: fmt.Sprintf("it is as of record %d, and the server "+
			"had signed %d before", asOf, before)}, nil
	case told != nil || given || asOf == 0:
		asOf = size
	}
	l, err := a.ledgerVerified(ctx)
	if err != nil {
		return nil, err
	}
	view, err := l.viewNamed(ctx, parameters["view"])
	if err != nil {
		return nil, err
	}
	f, err := l.fold(ctx, asOf, view)
	if err != nil {
		return nil, err
	}
	var first []byte
	for _, now := range todays(time.Now()) {
		mine := reflect.New(reflect.TypeOf(answer).Elem()).Interface()
		err := f.Ask(ctx, now, question, parameters, mine)
		if p := problem.From(err); p != nil && !isOfTheLedger(p.Kind) {
			return nil, err
		}
		follows, err := answerText(mine, err)
		if err != nil {
			return nil, err
		}
		if bytes.Equal(text, follows) {
			return nil, nil
		}
		if first == nil {
			first = follows
		}
	}
	return &otherAnswer{text, first, firstDifference(text, first)}, nil
}

// todays are the times that a server's clock may show, one for each day: it may be a quarter of an
// hour from this one.
func todays(now time.Time) []time.Time {
	all := []time.Time{now}
	for _, other := range []time.Time{now.Add(-15 * time.Minute), now.Add(15 * time.Minute)} {
		if events.DateOf(other) != events.DateOf(now) {
			all = append(all, other)
		}
	}
	return all
}

// asOfIn is the record as of which an answer says that it is, 0 for none.
func asOfIn(answer any) uint64 {
	var basis struct {
		AsOf uint64 `json:"as_of"`
	}
	data, err := json.Marshal(answer)
	if err == nil {
		err = json.Unmarshal(data, &basis)
	}
	if err != nil {
		return 0
	}
	return basis.AsOf
}

// answerText is an answer as this program reads it, or the kind of a refusal.
func answerText(answer any, err error) ([]byte, error) {
	if err != nil {
		return json.Marshal(map[string]string{"refused": problem.From(err).Kind.Slug})
	}
	return json.Marshal(answer)
}

// firstDifference says where two answers part, as a path of members and places.
func firstDifference(told, follows []byte) string {
	var a, b any
	if json.Unmarshal(told, &a) != nil || json.Unmarshal(follows, &b) != nil {
		return "it is another"
	}
	where, x, y := firstApart("", a, b)
	return fmt.Sprintf("at %s it says %s, and the records say %s", cmp.Or(where, "its beginning"),
		shortJSON(x), shortJSON(y))
}

func firstApart(at string, a, b any) (string, any, any) {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok {
			return at, a, b
		}
		either := maps.Clone(x)
		maps.Copy(either, y)
		for _, name := range slices.Sorted(maps.Keys(either)) {
			if !reflect.DeepEqual(x[name], y[name]) {
				return firstApart(at+"/"+name, x[name], y[name])
			}
		}
	case []any:
		y, ok := b.([]any)
		if !ok {
			return at, a, b
		}
		for i := range min(len(x), len(y)) {
			if !reflect.DeepEqual(x[i], y[i]) {
				return firstApart(fmt.Sprintf("%s/%d", at, i), x[i], y[i])
			}
		}
		return at, english.Several(int64(len(x)), "entry"), english.Several(int64(len(y)), "entry")
	}
	return at, a, b
}

func shortJSON(v any) string {
	if v == nil {
		return "nothing"
	}
	text, err := json.Marshal(v)
	if err != nil {
		return "another value"
	}
	return problem.Shorten(string(text))
}

// otherAnswer keeps both answers, and says so.
func (a *app) otherAnswer(question string, o *otherAnswer) error {
	p := problem.New(problem.Unverified,
		"the server's answer is not what follows from the verified records of the ledger %s: %s",
		a.contact.origin, o.why).WithCode("other-answer")
	m, err := a.memory()
	if err != nil || o.follows == nil {
		return p.WithHint("do not rely on this server, or on what stands before it")
	}
	both := sha256.Sum256(slices.Concat(o.told, o.follows)) // what is told again is kept once
	stem := filepath.Join(m.FolderOf(a.contact.origin), fmt.Sprintf("other-answer-%s-%x",
		question, both[:8]))
	told, follows := stem+"-told.json", stem+"-follows.json"
	for file, text := range map[string][]byte{told: o.told, follows: o.follows} {
		if err == nil {
			err = files.Replace(file, 0o600, append(text, '\n'))
		}
	}
	if err != nil {
		return p.WithHint("do not rely on this server, or on what stands before it; the two " +
			"answers could not be kept")
	}
	return p.WithHint("do not rely on this server, or on what stands before it; both answers are "+
		"kept: %s was told, and %s follows from the records", told, follows)
}
