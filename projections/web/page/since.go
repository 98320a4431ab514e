package page

import (
	"slices"

	"muster/events"
	"muster/projections"
	"muster/projections/web"
)

// changedSince is the code of the rule that a statement builds on its pledge as it is.
const changedSince = "changed-since"

// A sinceThen is what has changed in a pledge since somebody opened the form.
type sinceThen struct {
	// On is the day on which the pledge stands otherwise than on that of the form, where nothing
	// was said of it since.
	On      events.Date
	Records []projections.LifeEvent
	Terms   []termSince
}

// Latest are the last records since, as far as they are shown.
func (s *sinceThen) Latest() cut[projections.LifeEvent] { return cutBefore(s.Records, maxListed) }

// A termSince is a term when the form was opened and now, and what the form says.
type termSince struct{ Name, Was, Is, Form string }

// catchUp shows what has changed since the form was opened, and brings the form up to date: what
// was not changed in it says what stands now, and what was changed stays.
//
//	opened with   now   in the form   goes on with
//	11            25    11            25
//	11            25    13            13, beside the 25
func (s *submitPage) catchUp() error {
	was, err := s.opened()
	if err != nil {
		return err
	}
	s.Since = &sinceThen{}
	for _, e := range s.life {
		if e.Sequence > was.Pledge.Last {
			s.Since.Records = append(s.Since.Records, e)
		}
	}
	s.takeTerms(&was)
	s.After = text(s.About.Last)
	return nil
}

// opened returns the pledge as the form was opened with it.
func (s *submitPage) opened() (web.PledgeLife, error) {
	on := s.restatedOn()
	if s.restates() {
		on = s.TermsOn.String()
	}
	return ask(s.frame, web.Read[web.PledgeQuery], s.service.Pledge, "id", s.About.ID,
		"as_of", s.After, "on", on)
}

// catchUpWithDay is catchUp for an amendment that is to hold from another day on than that of which
// it has the terms: where others hold then, which are recorded already, it would undo them without
// a word. Where the form says those, nothing is to be caught up with.
func (s *submitPage) catchUpWithDay() error {
	day := s.EffectiveDay()
	if day == s.TermsOn {
		return nil
	}
	was, err := s.opened()
	if err != nil {
		return err
	}
	differs := func(c projections.TermChange) bool {
		return slices.ContainsFunc(s.Fields, func(f field) bool {
			return f.Name == c.Term && f.Value != c.To
		})
	}
	if !slices.ContainsFunc(projections.TermChanges(&was.Pledge, s.About), differs) {
		return nil
	}
	s.Since = &sinceThen{On: day}
	for _, e := range s.life {
		if e.Effective > min(day, s.TermsOn) && e.Effective <= max(day, s.TermsOn) {
			s.Since.Records = append(s.Since.Records, e)
		}
	}
	s.takeTerms(&was)
	return nil
}

// takeTerms puts the terms that have changed into the form, but for those that it says otherwise.
func (s *submitPage) takeTerms(was *web.PledgeLife) {
	for _, c := range projections.TermChanges(&was.Pledge, s.About) {
		one := termSince{Name: c.Term, Was: c.From, Is: c.To}
		if at := slices.IndexFunc(s.Fields, func(f field) bool {
			return f.Name == c.Term && s.restates()
		}); at >= 0 {
			f := &s.Fields[at]
			if f.Value == c.From {
				f.Value, f.Stands = c.To, true
			}
			one.Form = f.Value
		}
		s.Since.Terms = append(s.Since.Terms, one)
	}
	s.TermsOn = s.EffectiveDay()
}

// restates reports whether the form says all the terms anew.
func (s *submitPage) restates() bool { return s.Say.Type == "pledge.amended" }

// A standRow is where a nation's pledge stands now, and where it would.
type standRow struct {
	Nation   string
	From, To told
}

// Stands lists the pledges that would stand otherwise. One that would stand the same, and count
// otherwise only by other words, is none: its terms are shown before and after.
func (f *frame) Stands(d *projections.Diff) cut[standRow] {
	var all []standRow
	for _, p := range d.Pledges {
		if row := (standRow{f.Nation(p.Nation), f.stand(p.From), f.stand(p.To)}); row.From !=
			row.To {
			all = append(all, row)
		}
	}
	shown := cutAt(all, maxListed)
	shown.More += d.PledgesMore
	return shown
}

// Changed lists the requirements that would be met otherwise.
func (f *frame) Changed(d *projections.Diff) cut[projections.LineDiff] {
	return cutAt(d.Lines, maxListed)
}

// stand tells where a pledge stands: "offered 12 aircraft; It counts for air-west".
func (f *frame) stand(p *projections.PledgeStand) told {
	if p == nil {
		return told{Text: "–"}
	}
	said := told{Text: f.Word("pledge-state", p.State)}
	if p.State == projections.Live {
		said.Text = f.Word("rung", p.Rung)
	}
	if !p.Quantity.IsZero() {
		said.Text += " " + f.HowMuch(p.Amount(), p.Unit)
	}
	for _, at := range p.Places {
		one := f.Tell(at.Told)
		said = told{said.Text + "; " + one.Text, said.English || one.English}
	}
	return said
}
