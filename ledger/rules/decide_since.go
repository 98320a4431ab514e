package rules

import (
	"fmt"
	"slices"

	"muster/events"
	"muster/events/phrase"
)

// maxTold is the most records that the refusal of a statement names which builds on an older state.
const maxTold = 5

// upToDate keeps rule 38: a statement builds on the pledge as it is. It says so by the last record
// about it that its signer has seen, or says nothing of it.
func upToDate(p *pledge, st events.Statement) error {
	after := events.After(st)
	if after == 0 || after == p.said[len(p.said)-1].sequence {
		return nil
	}
	at := slices.IndexFunc(p.said, func(x saying) bool { return x.sequence == after })
	if at < 0 {
		return refuseField(codeAfterUnknown, field("after", fmt.Sprint(after),
			"that record says nothing of the pledge %s: write the last one about it that was "+
				"seen, or leave it out", p.id())).
			WithHint("see them: muster pledge show %s", p.id())
	}
	return refuse(codeChangedSince,
		"the pledge %s has changed since record %d, the last about it that the signer has seen: %s",
		p.id(), after, p.since(at+1)).
		WithHint("look at it as it stands now, and say it again: muster pledge show %s", p.id())
}

// since tells what was said of a pledge from a place on: "record 7, pledge amended: quantity 11 ->
// 25".
func (p *pledge) since(from int) phrase.Phrase {
	var all []phrase.Phrase
	for i := from; i < len(p.said); i++ {
		if len(all) == maxTold {
			all = append(all, phrase.Of("and %d more", len(p.said)-i))
			break
		}
		x := &p.said[i]
		text := phrase.Of("record %d, %s", x.sequence, x.typ().Phrase())
		if changed := p.changedBy(i); len(changed) > 0 {
			text = phrase.Of("%s: %s", text, phrase.Behind("%s, %s", changed...))
		}
		all = append(all, text)
	}
	return phrase.Behind("%s; %s", all...)
}

// changedBy tells what a statement changed in those terms that the rules know, on the day from
// which it holds.
func (p *pledge) changedBy(at int) (all []phrase.Phrase) {
	x, before := &p.said[at], *p
	before.said = p.said[:at]
	was := before.termsOn(x.effective)
	if was == nil {
		return nil
	}
	add := func(name string, from, to fmt.Stringer) {
		if from.String() != to.String() {
			field := phrase.As(name, "field."+name)
			all = append(all, phrase.Of("%s %s -> %s", field, from, to))
		}
	}
	expires := orWord(before.expiryOn(x.effective), "never")
	switch {
	case x.struck:
	case x.renewed != 0:
		add("expires", expires, x.renewed)
	case x.terms != nil:
		is := x.terms
		add("quantity", was.amount, is.amount)
		add("area", orWord(was.area, "anywhere"), orWord(is.area, "anywhere"))
		add("from", was.window.From, is.window.From)
		add("until", orWord(was.window.Until, "open"), orWord(is.window.Until, "open"))
		add("reserve", yesNo(was.reserve), yesNo(is.reserve))
		add("expires", expires, orWord(is.expires, "never"))
	}
	return all
}

// expiryOn returns the last day on which the pledge stands as was said for a date, 0 for none.
func (p *pledge) expiryOn(on events.Date) (expires events.Date) {
	best := events.Date(0)
	for i := range p.said {
		x := &p.said[i]
		if says := x.terms != nil || x.renewed != 0; says && !x.struck && x.effective <= on &&
			x.effective >= best {
			best, expires = x.effective, x.expires()
		}
	}
	return expires
}

// orWord writes a value, or a word for none.
func orWord[V comparable](value V, none string) phrase.Phrase {
	if value == *new(V) {
		return phrase.As(none, "none."+none)
	}
	return phrase.Verbatim(fmt.Sprint(value))
}

func yesNo(is bool) phrase.Phrase {
	return phrase.As(fmt.Sprint(is), fmt.Sprintf("said.%t", is))
}
