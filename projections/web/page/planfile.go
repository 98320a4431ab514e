package page

import (
	"context"
	"net/http"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
	"muster/projections/web"
)

// The page on which a coordinator brings in a whole plan as a file, and the file that the page Plan
// writes of one.

// A PlanComes is what a plan file comes to.
type PlanComes struct {
	FileComes
	// Operation is the one that the file is about, and Effective the day from which the changes
	// hold.
	Operation events.Operation
	Effective events.Date
	// AsOf is the record as of which the file was compared: what others record of the plan after
	// it, the browser sees before it signs.
	AsOf uint64
}

// A Planner says what a plan file comes to, for who is answered by a service; it records nothing.
type Planner func(context.Context, *web.Service, SentFile) (PlanComes, error)

// A PlanWriter writes what an operation asks for on a day, as of a record, as a plan file.
type PlanWriter func(context.Context, *web.Service, events.Operation, uint64,
	events.Date) ([]byte, error)

// planFields are those of the form.
var planFields = fileFields{files: words("file")}

// A planFilePage is the form, and what its file comes to.
type planFilePage struct {
	filePage
	Plan *PlanComes
}

// planFile answers the page without a file.
func (p *Pages) planFile(f *frame) (any, error) { return p.newPlanFile(f) }

func (p *Pages) newPlanFile(f *frame) (*planFilePage, error) {
	page := &planFilePage{}
	if !f.MayCoordinate() {
		return page, f.refusal(problem.NotAllowed, "problem.coordinators")
	}
	var err error
	page.filePage, err = f.newFile(planFields, p.Plan != nil)
	return page, err
}

// servePlanFile takes a file.
func (p *Pages) servePlanFile(w http.ResponseWriter, r *http.Request) {
	p.serveFile(w, r, "planfile", func(f *frame, r *http.Request) (any, *filePage, error) {
		page, err := p.newPlanFile(f)
		if err == nil {
			err = p.planned(page, r)
		}
		return page, &page.filePage, err
	})
}

// planned has the page show what its file comes to.
func (p *Pages) planned(page *planFilePage, r *http.Request) error {
	if p.Plan == nil {
		return page.refusal(problem.NotFound, "planfile.not-here")
	}
	if err := page.read(r); err != nil {
		return page.refused(err)
	}
	plan, err := p.Plan(page.ctx, page.service, page.Sent)
	if err != nil {
		return page.refused(err)
	}
	for i := range plan.Rows {
		page.word(&plan.Rows[i])
	}
	page.Plan = &plan
	return page.shows(&plan.FileComes)
}

// word has a row say its terms in the reader's language.
func (p *planFilePage) word(row *FileRow) {
	for i := range row.Changes {
		c := &row.Changes[i]
		term := c.Field.String()
		if term == "essential" {
			for _, said := range []*phrase.Phrase{&c.Was, &c.Is, &c.Stays} {
				if !said.IsZero() {
					*said = phrase.Verbatim(p.Word("essential", said))
				}
			}
		}
		c.Field = phrase.Verbatim(p.Word("planfile.term", term))
	}
	if row.Place.IsZero() {
		row.Place = phrase.Verbatim(p.T("operation"))
	}
}

// serveWrittenPlan writes the plan of an operation as a file.
func (p *Pages) serveWrittenPlan(w http.ResponseWriter, r *http.Request) {
	k := kindNamed("plan")
	values, err := valuesOf(p.words.speakerFor(r), r)
	if err == nil {
		err = k.unknown(p.words.speakerFor(r), values)
	}
	f, hidden := p.frame(r, k, values)
	var data []byte
	if err = first(hidden, err); err == nil {
		data, err = p.writtenPlan(f)
	}
	if err != nil {
		p.refuse(w, f, web.AskLess(p.Service.WhyEnded(f.ctx, err), nil))
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/yaml")
	h.Set("Content-Disposition", `attachment; filename="`+f.Get("operation")+`.yaml"`)
	h.Set("Cache-Control", "private, no-cache")
	if f.Who().SignedIn() {
		h.Set("Cache-Control", "no-store")
	}
	guard(h)
	_, _ = w.Write(data)
}

func (p *Pages) writtenPlan(f *frame) ([]byte, error) {
	if p.WritePlan == nil {
		return nil, f.refusal(problem.NotFound, "problem.no-page", printable(f.path))
	}
	is, err := ask(f, web.Read[web.PlanQuery], f.service.Plan)
	if err != nil {
		return nil, err
	}
	return p.WritePlan(f.ctx, f.service, is.Catalogue.Operation, is.AsOf, is.On)
}
