package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/proof"
	"muster/projections"
	"muster/projections/access"
	"muster/projections/web"
)

// viewNamed reads a view that somebody has written, "" for all, and false where it may be the name
// of an organisation.
func viewNamed(text string) (events.View, bool) {
	v, ok := events.ParseView(text)
	if v == events.CoordinatorsView {
		v = ""
	}
	return v, ok || text == ""
}

// viewIn is viewNamed where the records are at hand, and tell what organisations there are. For one
// of these, they are read.
func viewIn(ctx context.Context, records iter.Seq2[events.Record, error],
	text string) (events.View, error) {
	v, ok := viewNamed(text)
	if ok && !isOrganisations(v) {
		return v, nil
	}
	p, err := projections.Replay(ctx, records, 0, nil)
	if err != nil {
		return "", err
	}
	if v, err = p.WithCodes().ParseView(text); err != nil {
		err = problem.OfField(problem.Invalid, problem.Field{Location: "view", Value: text,
			Message: err.Error()})
	}
	return v, err
}

// viewAsked is viewNamed for a question, in which the server knows organisations by their names.
func (a *app) viewAsked(ctx context.Context, text string) (events.View, error) {
	if v, ok := viewNamed(text); ok {
		return v, nil
	}
	var page web.Records
	err := a.question(ctx, "records", map[string]string{"view": text, "limit": "1"}, &page)
	return page.View, err
}

// isOrganisations reports whether a view is that of an organisation, of which the records say
// whether it is there.
func isOrganisations(v events.View) bool {
	n, _ := v.Nation()
	return n.IsOrganisation()
}

// viewAt is viewAsked at the server at an address, which knows organisations by their names, and
// refuses a code that none has. What shows the tree alone knows neither.
func (a *app) viewAt(ctx context.Context, url, text string) (events.View, error) {
	v, ok := viewNamed(text)
	if ok && !isOrganisations(v) {
		return v, nil
	}
	client, err := a.asking(url)
	if err != nil {
		return "", err
	}
	var page web.Records
	err = client.Ask(ctx, "records", map[string]string{"view": text, "limit": "1"}, &page)
	if ok && !problem.Is(err, problem.Invalid) {
		return v, nil
	}
	return page.View, err
}

// viewOf returns the view in which a server answers whoever asks there, "" for all. Where it does
// not say so, none is guessed, and there is no answer. Of a tree that any web server can show, all
// is asked for: who may not read that is refused.
func viewOf(ctx context.Context, v *visitor) (events.View, error) {
	w, err := v.who(ctx, false)
	switch {
	case v.onlyTree && errors.Is(err, errNoDoor):
		return "", nil
	case err != nil:
		return "", err
	}
	if err := v.isKnownAs(w); err != nil {
		return "", err
	}
	view := w.View // a mirror may hold less than who asks may read
	if view == "" {
		view, err = w.Read.Widest(access.Reader{Key: w.Key, View: w.View})
	}
	if view == events.CoordinatorsView {
		view = ""
	}
	return view, err
}

// isKnownAs makes sure that who has signed in is not answered as nobody, or as somebody else: what
// little those may read would be taken for all that there is.
func (v *visitor) isKnownAs(w web.SessionState) error {
	signer, err := v.app.whoAsks()
	v.mu.Lock()
	defer v.mu.Unlock()
	if err != nil || signer == nil || v.token == "" || w.SignedIn && w.Key == signer.Key() {
		return nil
	}
	as := "as nobody who has signed in"
	if w.SignedIn {
		as = "as " + string(w.Key)
	}
	return problem.New(problem.Unverified, "%s has signed in at this server, which answers %s: "+
		"what it shows is not all that %[1]s may read", signer.Name(), as).
		WithHint("something between here and the server may take the session away: do not rely " +
			"on what is shown, and ask another way; to sign in anew: muster session end")
}

// whose says of which view something is.
func whose(v events.View) string {
	if v == "" {
		return "all records"
	}
	return "the view " + string(v)
}

// parsed reads the records of a source of which nothing is verified.
func parsed(ctx context.Context, src proof.Source) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for e, err := range src.Entries(ctx) {
			rec := events.Record{Sequence: e.Sequence}
			if err == nil && e.Stored != nil {
				rec, err = events.ParseRecord(e.Sequence, e.Stored)
			}
			if !yield(rec, err) || err != nil {
				return
			}
		}
	}
}

// withheldFrom shows a source that has all records to those who have a view, which may be named as
// an organisation is. Who may read what follows from the records, which are read for it first.
func withheldFrom(ctx context.Context, src proof.Source, named string) (proof.Source, error) {
	view, err := viewIn(ctx, parsed(ctx, src), named)
	if view == "" || err != nil {
		return src, err
	}
	all, err := projections.Replay(ctx, parsed(ctx, src), 0, nil)
	if err != nil {
		return src, err
	}
	entries := src.Entries
	src.View = view
	src.Entries = func(ctx context.Context) iter.Seq2[proof.Entry, error] {
		return func(yield func(proof.Entry, error) bool) {
			for e, err := range entries(ctx) {
				if label, known := all.Label(e.Sequence); err == nil &&
					!(known && label.OpenTo(view)) {
					e = e.Withhold()
				}
				if !yield(e, err) {
					return
				}
			}
		}
	}
	return src, nil
}

// A viewsCheck compares what a server shows to those who may not read all with the labels, which it
// derives itself from the records while they are verified.
type viewsCheck struct {
	app *app
	url string
	*reading
}

// compareViews has the views of a server compared, of which src has all records.
func (a *app) compareViews(src *proof.Source, url string) {
	c := &viewsCheck{app: a, url: url, reading: foldedWhileRead(src)}
	src.Also = append(src.Also, c.compare)
}

// views are those that may differ: of the nations, those that have something of their own.
func (c *viewsCheck) views() []events.View {
	all := []events.View{events.PublicView, events.CoalitionView}
	var nations []events.View
	for _, l := range c.picture.Labels() {
		if l.Release != events.CoordinatorsOnly {
			continue
		}
		for _, n := range l.Nations() {
			nations = append(nations, events.View(n))
		}
	}
	slices.Sort(nations)
	return append(all, slices.Compact(nations)...)
}

// compare is a [proof.Extra].
func (c *viewsCheck) compare(ctx context.Context, found proof.Found, r *proof.Report) (*proof.Fault,
	error) {
	if c.err != nil || !found.Whole() {
		r.Add("views", proof.NotChecked,
			"what the views are shown can only be compared where all records are good")
		return nil, nil
	}
	var first *proof.Fault
	var shown []string
	for _, view := range c.views() {
		fault, withheld, err := c.compareView(ctx, found, view)
		if err != nil {
			return nil, err
		}
		if fault != nil && (first == nil || fault.Sequence < first.Sequence) {
			first = fault
		}
		shown = append(shown, fmt.Sprintf("%s (%d withheld)", view, withheld))
	}
	if first != nil {
		r.Add("views", proof.Failed, "%s", first)
		return first, nil
	}
	r.Add("views", proof.Verified,
		"each view is shown what the labels of the records open to it, and "+
			"nothing else: %s", english.List(shown))
	return nil, nil
}

// compareView compares what one view is shown, and counts what is withheld from it.
func (c *viewsCheck) compareView(ctx context.Context, found proof.Found, view events.View) (
	fault *proof.Fault, withheld uint64, err error) {
	src, err := c.app.ofServer(ctx, c.url, view)
	if err != nil {
		return nil, 0, err
	}
	last := uint64(0)
	for e, err := range src.Entries(ctx) {
		if err != nil {
			return nil, 0, err
		}
		if e.Sequence > found.Records() {
			break
		}
		if e.Stored == nil {
			withheld++
		}
		last = e.Sequence
		if fault == nil {
			fault = c.compareEntry(found, view, e)
		}
	}
	if last < found.Records() && fault == nil {
		fault = viewFault(last+1, "it is not there in the view %s, which ends before it", view)
	}
	return fault, withheld, nil
}

func (c *viewsCheck) compareEntry(found proof.Found, view events.View, e proof.Entry) *proof.Fault {
	label, _ := c.picture.Label(e.Sequence)
	switch open := label.OpenTo(view); {
	case !found.Has(e):
		return viewFault(e.Sequence,
			"the view %s is shown another record, or the leaf hash of another", view)
	case open && e.Stored == nil:
		return viewFault(e.Sequence,
			"it is withheld from the view %s without a label that says so: "+
				"it is for the %s", view, label)
	case !open && e.Stored != nil:
		return viewFault(e.Sequence, "the view %s is shown it, though it is for the %s", view,
			label)
	}
	return nil
}

func viewFault(sequence uint64, format string, args ...any) *proof.Fault {
	return &proof.Fault{Sequence: sequence, Check: "views", What: fmt.Sprintf(format, args...)}
}
