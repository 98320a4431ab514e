package page

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language/display"

	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/projections"
	"muster/projections/web"
)

func sprint(v any) string { return fmt.Sprint(v) }

// A frame is what is around every page: what it is called, from where it looks, and what paper must
// say of it. Templates see its methods.
type frame struct {
	*speaker
	location
	Kind pageKind
	// Ledger is whose pages these are.
	Ledger web.Ledger
	// Basis is what the page rests on; its content sets it.
	Basis projections.Basis
	Today events.Date
	// Root is the root hash of the tree as of Basis, in base 64.
	Root string
	// Problem is why there is no content.
	Problem *problem.Problem

	ctx     context.Context
	request *http.Request
	pages   *Pages
	service *web.Service // what answers: of the view that the page is of, and of nothing else
	// toSecond are the proposals that the reader may second, where the page lists some.
	toSecond []string
	// translated are texts that were recorded in the reader's language.
	translated []string
	id         string // the part of the path that names a thing, "" for pages of no one thing
}

// frame puts a frame around what was asked for. The frame can be shown with the error, too: then it
// is that of what the reader may read without asking for a view, if there is anything.
func (p *Pages) frame(r *http.Request, k pageKind, values url.Values) (f *frame, err error) {
	f = &frame{speaker: p.words.speakerFor(r), Kind: k,
		location: location{web.BaseOf(r.Context()), r.URL.Path, values},
		ctx:      r.Context(), request: r, pages: p, Today: events.DateOf(p.Service.Now())}
	if f.service, err = p.Service.For(f.ctx, values.Get("view")); err != nil {
		values.Del("view") // links lead away from where it is refused
		if f.service, _ = p.Service.For(f.ctx, ""); f.service == nil {
			return f, err
		}
	}
	f.organisations = f.declared
	// What is wrong with it, the content meets too.
	f.Ledger, _ = f.service.Ledger(f.ctx, &web.LedgerQuery{})
	return f, err
}

// declared are the organisations that operations declare, as far as the page is of: of the view and
// of the record, or of the last one while that is not known.
func (f *frame) declared() (all events.Organisations) {
	_ = f.service.Projector.View(func(p *projections.Picture) error { // which fails in nothing
		asOf := f.Basis.AsOf
		if asOf == 0 {
			asOf = p.Sequence()
		}
		all = p.Organisations(asOf)
		return nil
	})
	return all
}

// Mirror tells of the mirror whose pages these are, nil where they are a server's.
func (f *frame) Mirror() *Mirror {
	if f.pages.Mirror == nil {
		return nil
	}
	return f.pages.Mirror()
}

// isBefore reports whether a page looks from before the first record.
func isBefore(b projections.Basis) bool { return b.AsOf == 0 && b.On != 0 }

// finish fills in what the content has made known, or the last record where it has made nothing
// known.
func (f *frame) finish() {
	if !f.HasClocks() {
		return
	}
	if f.Basis.AsOf == 0 && !isBefore(f.Basis) {
		f.Basis.AsOf, f.Basis.Recorded = f.Ledger.Sequence, f.Ledger.Recorded
	}
	if root, err := f.pages.Ledger.RootAt(int64(f.Basis.AsOf)); err == nil {
		f.Root = base64.StdEncoding.EncodeToString(root[:])
	}
}

// readBasis fills in the moment looked from, on a page about what is there whose answer does not
// tell it.
func (f *frame) readBasis() error { return f.readClocks(web.Read[web.StrengthQuery]) }

// readPast fills in the moment looked from, on a page about what was said so far.
func (f *frame) readPast() error {
	return f.readClocks(func(s *web.Service, values url.Values) (*web.StrengthQuery, error) {
		q, err := web.Read[web.StrengthQuery](s, values)
		q.AsItStands()
		return q, err
	})
}

func (f *frame) readClocks(read func(*web.Service, url.Values) (*web.StrengthQuery, error)) error {
	s, err := ask(f, read, f.service.Strength)
	f.Basis = s.Basis
	if !f.Applies("rung") {
		f.Basis.Rung = 0
	}
	return err
}

// Applies reports whether the page is another with a parameter than without.
func (f *frame) Applies(name string) bool { return !slices.Contains(f.Kind.ignores, name) }

// Asked names who is asked about a pledge.
func (f *frame) Asked(n events.Nation) string {
	if n == events.HQ {
		return f.T("side.coordinators")
	}
	return f.Named(n)
}

// Ignored says what the address asks for and the page does not apply, "" for nothing.
func (f *frame) Ignored() string {
	var all []string
	for _, name := range f.Kind.ignores {
		value := f.Get(name)
		switch {
		case value == "":
		case name == "rung":
			all = append(all, f.T("foot.rung", f.Word("rung", value)))
		case name == "without":
			all = append(all, f.T("suppose.without", value))
		case name == "discharge":
			all = append(all, f.T("suppose.discharge", value))
		default:
			all = append(all, f.T("suppose."+strings.ReplaceAll(name, "_", "-")))
		}
	}
	return strings.Join(all, ", ")
}

// ask reads the parameters of a question from the page's address, and some more, and has it
// answered; those that the page ignores are only looked at, for what is wrong with them. Names and
// values come in turn.
func ask[Q, A any](f *frame, read func(*web.Service, url.Values) (*Q, error),
	answer func(context.Context, *Q) (A, error), pairs ...any) (a A, err error) {
	values, ignored := url.Values{}, url.Values{}
	for name, all := range f.values {
		if slices.Contains(f.Kind.ignores, name) {
			ignored[name] = all
		} else {
			values[name] = all
		}
	}
	if _, err := web.Read[web.StrengthQuery](f.service, ignored); err != nil {
		return a, err
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if v := text(pairs[i+1]); v != "" {
			values.Set(text(pairs[i]), v)
		} else {
			values.Del(text(pairs[i]))
		}
	}
	q, err := read(f.service, values)
	if err != nil {
		return a, err
	}
	return answer(f.ctx, q)
}

// A NavItem is one page in the list on top.
type NavItem struct {
	Name    string
	Address any
	Here    bool
}

// Nav lists the pages of the first row.
func (f *frame) Nav() []NavItem { return f.navOf(false) }

// NavMore lists those of the second row.
func (f *frame) NavMore() []NavItem { return f.navOf(true) }

func (f *frame) navOf(more bool) (all []NavItem) {
	for _, k := range kinds {
		if k.nav && k.more == more && (k.Name != "mine" || f.nationality() != "") {
			all = append(all, NavItem{k.Name, f.To(k.path), k.Name == f.Kind.Name})
		}
	}
	return all
}

// Asset returns where a file is loaded from.
func (f *frame) Asset(file string) string { return f.Path(f.pages.address(file)) }

// Form returns where forms on this page lead.
func (f *frame) Form() string { return f.Path(f.path) }

// Start returns where to begin again: with the coverage as it is now.
func (f *frame) Start() any {
	return f.address("/", f.only("lang"), nil)
}

// A tongueLink names a language in itself.
type tongueLink struct{ Lang, Name string }

// Langs returns the languages that there are.
func (f *frame) Langs() (all []tongueLink) {
	for _, tag := range f.words.languages {
		name := english.Capital(display.Self.Name(tag))
		all = append(all, tongueLink{tag.String(), name})
	}
	return all
}

// OtherLangs returns the languages that the page is not in.
func (f *frame) OtherLangs() []tongueLink {
	return slices.DeleteFunc(f.Langs(), func(l tongueLink) bool { return l.Lang == f.Lang })
}

// LangName names a language in itself.
func (f *frame) LangName(lang string) string {
	for _, l := range f.Langs() {
		if l.Lang == lang {
			return l.Name
		}
	}
	return lang
}

// IsLive reports whether the page shows what is known now, so that it changes by itself.
func (f *frame) IsLive() bool {
	return f.HasClocks() && f.Problem == nil && !f.values.Has("as_of")
}

// HasClocks reports whether the page is about the ledger as it stood at some moment: not where
// nothing may be read, and not where one signs in.
func (f *frame) HasClocks() bool {
	return f.service != nil &&
		!slices.Contains([]string{"session", "feeds", againKind.Name}, f.Kind.Name)
}

// IsToday reports whether the page shows what applies today, or, of what has not begun, its first
// day, which the page says by itself.
func (f *frame) IsToday() bool {
	return f.Basis.Beginning != "" || !f.Basis.IsRange() &&
		(f.Basis.On == 0 || f.Basis.On == f.Today)
}

// Set says in few words what is shown, where that folds away: as known when, on which day, and what
// the page was asked for.
func (f *frame) Set() (all []string) {
	switch {
	case f.IsLive() || f.Problem != nil:
		all = append(all, f.T("set.now"))
	case isBefore(f.Basis):
		all = append(all, f.T("set.before"))
	default:
		all = append(all, f.T("set.record", f.Basis.AsOf))
	}
	if f.Basis.On != 0 {
		all = append(all, f.T("foot.on", f.Basis.Days()))
	}
	for _, name := range words("operation nation role line type signer") {
		if f.Has(name) {
			all = append(all, f.Get(name))
		}
	}
	if !f.Basis.Rung.IsZero() {
		all = append(all, f.T("foot.rung", f.Word("rung", f.Basis.Rung)))
	}
	if said := f.Supposes(); said != "" {
		all = append(all, said)
	}
	return all
}

// Supposes says what the page supposes, "" for nothing.
func (f *frame) Supposes() string {
	if f.Basis.WhatIf.IsZero() {
		return ""
	}
	w, all := f.Basis.WhatIf, ""
	add := func(text string) {
		if all != "" {
			all += ", "
		}
		all += text
	}
	for _, n := range w.Without {
		add(f.T("suppose.without", f.Named(n)))
	}
	if w.WithoutConditional {
		add(f.T("suppose.without-conditional"))
	}
	if w.WithoutCaveated {
		add(f.T("suppose.without-caveated"))
	}
	for _, word := range w.Discharge {
		add(f.T("suppose.discharge", word))
	}
	return all
}

// Time writes a time, in UTC, as no reader can mistake it.
func (f *frame) Time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// Date writes a date, as no reader can mistake it.
func (f *frame) Date(d events.Date) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// Written writes a date as people do beside it, where there is room: "2027-06-01 (1 June 2027)".
func (f *frame) Written(d events.Date) string {
	if d == 0 {
		return ""
	}
	t := d.Time()
	month, year := f.Word("month.of", int(t.Month())), strconv.Itoa(t.Year())
	if t.Day() == 1 { // which French has a word for
		return f.T("date.beside", f.Date(d), f.T("date.first", month, year))
	}
	return f.T("date.beside", f.Date(d), f.T("date.written", strconv.Itoa(t.Day()), month, year))
}

// Window writes a window of days, as a table does, and WrittenWindow as [frame.Written] does.
func (f *frame) Window(w events.Window) string { return f.window(w, f.Date) }

// WrittenWindow: see [frame.Window].
func (f *frame) WrittenWindow(w events.Window) string { return f.window(w, f.Written) }

func (f *frame) window(w events.Window, date func(events.Date) string) string {
	switch {
	case w.From == 0 && w.Until == 0:
		return ""
	case w.Until == 0:
		return f.T("window.from", date(w.From))
	case w.From == 0:
		return f.T("window.until", date(w.Until))
	}
	return f.T("window.both", date(w.From), date(w.Until))
}

// IsList reports whether the page lists things of all rungs when none is asked.
func (f *frame) IsList() bool { return f.Kind.Name == "pledges" }

// Rungs lists the rungs.
func (f *frame) Rungs() []projections.Rung { return projections.Rungs() }

// A Clock is the control of the recorded clock.
type Clock struct {
	At, Last      uint64
	Back, Forward uint64 // 0 where there is none
}

// Clock returns the control of the recorded clock.
func (f *frame) Clock() Clock {
	c := Clock{At: f.Basis.AsOf, Last: f.Ledger.Sequence}
	if c.At > 1 {
		c.Back = c.At - 1
	}
	if c.At < c.Last {
		c.Forward = c.At + 1
	}
	return c
}

// Seq writes the sequence of a record as a parameter; nothing for the last, which is live.
func (f *frame) Seq(n uint64) string {
	if n == 0 || n >= f.Ledger.Sequence {
		return ""
	}
	return strconv.FormatUint(n, 10)
}

// place writes the place of a moment on the recorded clock as a parameter.
func place(b projections.Basis) string {
	if isBefore(b) {
		return events.FirstDate.String()
	}
	return strconv.FormatUint(b.AsOf, 10)
}

// KnownDay returns the date of the recorded clock, for its date field.
func (f *frame) KnownDay() string {
	if isBefore(f.Basis) {
		return f.Get("as_of")
	}
	if f.Basis.Recorded.IsZero() {
		return ""
	}
	return events.DateOf(f.Basis.Recorded).String()
}

// Operations lists the operations that a reader may choose from, as known at the moment looked
// from.
func (f *frame) Operations() []projections.Catalogue {
	var all projections.Operations
	_ = f.service.Projector.View(func(p *projections.Picture) (err error) {
		all, err = p.Operations(f.ctx, projections.Moment{
			AsOf: f.Basis.AsOf, Before: isBefore(f.Basis), On: f.Basis.On})
		return err
	})
	return all.Operations
}

// A recorded is a text that somebody has written, in a language that nothing tells but where it is
// Known to be the reader's. Else a page marks it with lang="", as HTML has it for a language that
// is not known: a screen reader then does not read it as if it were the page's (WCAG 3.1.2). Names
// and slugs are marked nowhere, nor is what was recorded within a sentence of the page.
type recorded struct {
	Text  string
	Known bool
}

// titleOf returns the title of a role for the reader.
func (f *frame) titleOf(r *events.RoleDefinition) recorded {
	title, known := r.TitleIn(events.Language(f.Lang))
	return recorded{title, known}
}

// RoleTitle returns the title of an operation's role for the reader, nil where it has none.
func (f *frame) RoleTitle(operation events.Operation, role events.Role) *recorded {
	for _, o := range f.Operations() {
		for i := range o.Roles {
			if o.Operation == operation && o.Roles[i].Role == role {
				title := f.titleOf(&o.Roles[i])
				return &title
			}
		}
	}
	return nil
}

// previewed tells what statements would change, or what is wrong with them where the picture cannot
// take them.
func (f *frame) previewed(q *web.PreviewQuery) (*projections.Preview, *problem.Problem, error) {
	effect, err := f.service.Preview(f.ctx, q)
	var found *problem.Problem
	switch {
	case errors.As(err, &found) && found.Kind == problem.Conflict:
		return nil, found, nil
	case err != nil:
		return nil, nil, err
	}
	return &effect, nil, nil
}
