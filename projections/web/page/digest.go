package page

import (
	"cmp"
	"regexp"
	"strconv"

	"muster/events"
	"muster/projections"
	"muster/projections/web"
)

// A digestPage tells on one page what has happened since a moment, such as a meeting, and what is
// due.
type digestPage struct {
	*frame
	D projections.Digest
	// Meetings are those that were closed before, the last first.
	Meetings []projections.Meeting
	CSV      string
}

// Shown are the first sentences of a section.
func (d *digestPage) Shown(s projections.DigestSection) cut[projections.DigestItem] {
	return cutAt(s.Items, maxDigest)
}

// maxDigest is how many sentences of a section stand on the page: one reads it in a meeting.
const maxDigest = 12

// digest answers the page.
func (p *Pages) digest(f *frame) (any, error) {
	d := &digestPage{frame: f}
	if err := f.readBasis(); err != nil {
		return nil, err
	}
	to := f.Basis
	met, err := ask(f, web.Read[web.MeetingsQuery], f.service.Meetings, "as_of", place(to))
	if err != nil {
		return nil, err
	}
	for _, m := range met.Meetings {
		d.Meetings = append([]projections.Meeting{m}, d.Meetings...)
	}
	from := f.Get("from")
	switch {
	case from != "":
	case isBefore(to):
		from = place(to)
	case len(d.Meetings) > 0:
		from = d.Meetings[0].Name
	default:
		ledger, err := f.pastOf(&to)
		if err != nil {
			return nil, err
		}
		from = strconv.FormatUint(ledger.usual(), 10)
	}
	on := ""
	if f.Has("on") {
		on = max(to.On, to.Until).String()
	}
	d.D, err = ask(f, web.Read[web.DigestQuery], f.service.Digest, "from", from, "as_of", place(to),
		"on", on)
	if err != nil {
		return nil, err
	}
	if f.Basis = d.D.To; f.Basis.On == to.On {
		f.Basis.Beginning = to.Beginning
	}
	d.CSV = f.csv("digest", words("operation nation role rung without without_conditional "+
		"without_caveated discharge within"), "from", place(d.D.From), "as_of", place(d.D.To), "on",
		on)
	return d, nil
}

// Since names what the digest begins with: a meeting by its name.
func (d *digestPage) Since() string {
	for _, m := range d.Meetings {
		if m.Sequence == d.D.From.AsOf {
			return d.T("digest.meeting", m.Name)
		}
	}
	if d.D.From.AsOf == 0 {
		return d.T("digest.beginning")
	}
	return d.T("digest.since-record", d.D.From.AsOf)
}

// Close is where a meeting is closed, nil where the reader may not.
func (d *digestPage) Close() any {
	if !d.MayCoordinate() || d.Mirror() != nil {
		return nil
	}
	return d.To("/submit", "type", "meeting.closed", "as_of", "")
}

// Says tells one item in the reader's language.
func (f *frame) Says(i projections.DigestItem) []stretchOfText {
	switch {
	case i.OfPledge != nil:
		return unbroken(f.saysPledge(i.OfPledge))
	case !i.Said.IsZero():
		return unbroken(f.Tell(i.Said).Text)
	}
	return unbroken(f.SaysDue(i.OfDue))
}

// A stretchOfText is a part of a sentence; one that is whole is never broken between two lines.
type stretchOfText struct {
	Text    string
	IsWhole bool
}

// Unbroken takes a sentence apart at its dates, which are never broken between two lines.
func (f *frame) Unbroken(sentence string) []stretchOfText { return unbroken(sentence) }

var dates = regexp.MustCompile(`\b\d{4}-\d\d-\d\d\b`)

// unbroken takes a sentence apart at its dates.
func unbroken(sentence string) (all []stretchOfText) {
	end := 0
	for _, at := range dates.FindAllStringIndex(sentence, -1) {
		all = append(all, stretchOfText{Text: sentence[end:at[0]]},
			stretchOfText{Text: sentence[at[0]:at[1]], IsWhole: true})
		end = at[1]
	}
	return append(all, stretchOfText{Text: sentence[end:]})
}

func (f *frame) saysPledge(p *projections.PledgeDiff) string {
	is, was := p.To, p.From
	what := f.T("digest.pledge", f.Nation(p.Nation), f.HowMuch(is.Amount(), is.Unit), is.Role)
	if is.Line != "" {
		what = f.T("digest.meant-for", what, is.Line)
	}
	standing := func(s *projections.PledgeStand) string {
		if s.State != projections.Live && s.State != projections.Ahead {
			return f.Word("pledge-state", s.State)
		}
		return f.Word("rung", s.Rung)
	}
	switch now := standing(is); {
	case was == nil || standing(was) == now && was.Amount() == is.Amount():
		return f.T("digest.is", what, now)
	case standing(was) != now:
		return f.T("digest.is-was", what, now, standing(was))
	}
	return f.T("digest.was", what, f.Known(was.Amount()))
}

// IsEssential reports whether the requirement that an item tells of is essential.
func (f *frame) IsEssential(i projections.DigestItem) bool {
	l := i.OfLine
	return l != nil && (l.To != nil && l.To.Essential || l.To == nil && l.From.Essential)
}

// SaysDue tells in the reader's language what is due; what somebody has recorded, as it is.
func (f *frame) SaysDue(d *projections.Due) string {
	what := f.T("digest.pledge", f.Nation(d.Nation), f.HowMuch(events.Amount{
		Quantity: d.Quantity, Least: d.Least, Most: d.Most}, d.Unit), d.Role)
	switch d.Kind {
	case projections.LapsesSoon, projections.EndsUnrelieved:
		return f.T("due-says."+string(d.Kind), what, f.Date(d.By))
	case projections.ConditionIsOpen:
		return f.T("due-says."+string(d.Kind), what, d.About, f.Date(d.Since))
	case projections.WaitsForReply:
		asked := events.HQ
		if d.WaitsFor == projections.ForNation {
			asked = d.Nation
		}
		return f.T("due-says."+string(d.Kind), what, f.Asked(asked), f.Date(d.Since), d.About)
	}
	return f.T("due-says."+string(d.Kind), what, f.Date(cmp.Or(d.Since, d.By)))
}
