package page

import (
	"cmp"
	"slices"
	"strings"

	"muster/events"
	"muster/projections/access"
	"muster/projections/web"
)

// For whom a page is counted. Each page is of one view, and has all that it shows from the service
// of that view, which [web.Service.For] chooses: see [Pages.frame].

// Counted returns the view of the page; "" where all is counted, or nothing could be.
func (f *frame) Counted() events.View {
	if f.service == nil {
		return ""
	}
	return f.service.View()
}

// CountedFor says for whom the page is counted, "" where that is all.
func (f *frame) CountedFor() string {
	if f.Counted() == "" {
		return ""
	}
	if n, is := f.Counted().Nation(); is {
		return f.T("view.counted", f.Named(n))
	}
	return f.T("view.counted", f.ViewName(f.Counted()))
}

// FootCounted says on paper, too, where not everybody may read all, that all is counted.
func (f *frame) FootCounted() string {
	if said := f.CountedFor(); said != "" || f.IsOpen() {
		return said
	}
	return f.T("view.all")
}

// ViewName names those who have a view.
func (f *frame) ViewName(v events.View) string {
	if n, is := v.Nation(); is {
		return f.Nation(n)
	}
	return f.Word("view", v)
}

// own returns the widest view that the reader may ask for, "" for none.
func (f *frame) own() events.View {
	return f.pages.Service.Widest(f.ctx)
}

// CanLeave reports whether the reader may read more than the page counts.
func (f *frame) CanLeave() bool { return f.Counted() != "" && f.Counted() != f.own() }

// A viewChoice is a view that the reader may ask for. The own one is asked for by naming none.
type viewChoice struct {
	Value, Name string
	Here        bool
}

// Views lists what the reader may choose from: nothing where there is but one.
func (f *frame) Views() []viewChoice {
	own := f.own()
	if f.service == nil || f.pages.Service.Views == nil || own == events.PublicView {
		return nil
	}
	others := access.Narrower(own)[1:]
	if own == events.CoordinatorsView {
		others = append(others, f.nationViews()...)
	}
	is := cmp.Or(f.Counted(), events.CoordinatorsView)
	all := []viewChoice{{"", f.T("view.own." + kindOf(own)), is == own}}
	for _, v := range others {
		all = append(all, viewChoice{string(v), f.ViewName(v), v == is})
	}
	return all
}

// kindOf returns a view's name, and nation for that of one.
func kindOf(v events.View) string {
	if _, is := v.Nation(); is {
		return "nation"
	}
	return string(v)
}

// nationViews returns the views of the nations that have members, and the one that is shown, by
// name.
func (f *frame) nationViews() (all []events.View) {
	add := func(n events.Nation) {
		if n != events.HQ && n != "" && !slices.Contains(all, events.View(n)) {
			all = append(all, events.View(n))
		}
	}
	if n, is := f.Counted().Nation(); is {
		add(n)
	}
	// Members are public.
	members, _ := ask(f, web.Read[web.MembersQuery], f.service.Members, "as_of", "")
	for _, m := range members.Members {
		add(m.Party)
	}
	slices.SortFunc(all, func(a, b events.View) int {
		return strings.Compare(f.ViewName(a), f.ViewName(b))
	})
	return all
}
