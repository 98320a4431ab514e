package projections

import (
	"maps"
	"slices"

	"muster/events"
)

// organisations returns those that the operation declares, as far as is known as of a sequence:
// what was said last, whatever it is effective from, since it is about names.
func (o *operation) organisations(asOf uint64) (all events.Organisations) {
	var by uint64
	for _, c := range o.now().catalogues {
		if by < c.seq && c.seq <= asOf {
			all, by = c.what.Organisations, c.seq
		}
	}
	return all
}

// organisation returns the name of an organisation in the operation, and "" of a nation.
func (o *operation) organisation(asOf uint64, n events.Nation) string {
	if !n.IsOrganisation() {
		return ""
	}
	return o.organisations(asOf).Named(n)
}

// named returns a nation's name as it stands within a sentence, or that of an organisation.
func (o *operation) named(asOf uint64, n events.Nation) string {
	if !n.IsOrganisation() {
		return n.Named()
	}
	return o.organisation(asOf, n)
}

// nationName returns a nation's usual English name; of an organisation the one that was declared
// last, in whatever operation. It costs an organisation a look at every operation.
func (p *Picture) nationName(asOf uint64, n events.Nation) string {
	if !n.IsOrganisation() {
		return n.Name()
	}
	return p.Organisations(asOf).Named(n)
}

// Organisations returns those that the operations declare, by code, each as it was declared last as
// of a sequence. It costs a look at every operation.
func (p *Picture) Organisations(asOf uint64) (all events.Organisations) {
	last := map[events.Nation]said[events.Organisation]{}
	for _, o := range p.operations {
		for _, c := range o.now().catalogues {
			for _, one := range c.what.Organisations {
				if last[one.Code].seq < c.seq && c.seq <= asOf {
					last[one.Code] = said[events.Organisation]{seq: c.seq, what: one}
				}
			}
		}
	}
	for _, code := range slices.Sorted(maps.Keys(last)) {
		all = append(all, last[code].what)
	}
	return all
}

// WithCodes returns the organisations that are known by their codes now: those of
// [Picture.Organisations], and those after which a key is named, whose operations need not be seen.
func (p *Picture) WithCodes() events.Organisations {
	all := p.Organisations(p.Sequence())
	for i := range p.roster.members {
		n := p.roster.members[i].Key.Party()
		if _, known := all.Of(n); n.IsOrganisation() && !known {
			all = append(all, events.Organisation{Code: n, Name: string(n)})
		}
	}
	return all
}

// OrganisationsOf returns those that one operation declares, as far as is known as of a sequence;
// none where there is no such operation.
func (p *Picture) OrganisationsOf(o events.Operation, asOf uint64) events.Organisations {
	if of := p.operations[o]; of != nil {
		return of.organisations(asOf)
	}
	return nil
}

// named returns the name of the nation or the organisation whose pledge it is.
// called is [pledge.named] for sentences that are told in other languages, too.
func (pl *pledge) called(asOf uint64) events.Called {
	return events.Called{Nation: pl.nation, English: pl.named(asOf)}
}

func (pl *pledge) named(asOf uint64) string { return pl.operation.named(asOf, pl.nation) }
