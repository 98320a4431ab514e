package projections

import (
	"cmp"
	"context"
	"slices"

	"muster/events"
)

// A DependenceFilter narrows a list of what hangs on one nation.
type DependenceFilter struct {
	Filter
	// ByRole tells strength by role, and not by operation alone.
	ByRole bool
}

// A Hold is a line, or the strength of an operation, of which one nation holds at least half.
type Hold struct {
	Operation events.Operation `json:"operation"`
	// Line is the requirement; empty where it is the strength of the whole operation, or of a role
	// in it.
	Line events.Line `json:"line,omitzero"`
	Role events.Role `json:"role,omitzero"`
	Unit events.Unit `json:"unit"`
	// Day is the day of a range of which this tells: that of the line, or of the strength.
	Day events.Date `json:"day,omitzero"`
	Dependence
	// Quantity is what the nation holds, of the supply Of. Without is the gap that would be there
	// without it, of lines alone.
	Quantity  events.Quantity `json:"quantity"`
	Of        events.Quantity `json:"of"`
	Without   events.Quantity `json:"without,omitzero"`
	Essential bool            `json:"essential,omitzero"`
}

// Dependences is what hangs on one nation at a moment: lines first, by how much they do, and then
// the strength of operations.
type Dependences struct {
	Basis
	Holds []Hold `json:"holds"`
}

// Dependences answers which lines one nation holds alone, or to 80 or 50 percent; and the same of
// the strength of each operation, or role in it, for operations that have no requirements. The
// nation of f is the one that holds. Of a range, it answers for the day on which a line is met
// least, and on which an operation has least.
func (p *Picture) Dependences(ctx context.Context, m Moment,
	f DependenceFilter) (Dependences, error) {
	p = p.metered(ctx)
	c, err := p.Coverage(ctx, m, CoverageFilter{Operation: f.Operation, Role: f.Role, Brief: true})
	if err != nil {
		return Dependences{}, err
	}
	answer := Dependences{Basis: c.Basis, Holds: []Hold{}}
	for _, l := range c.Lines {
		if d := l.Dependence; d != nil && f.nation(d.Nation) {
			answer.Holds = append(answer.Holds, l.hold(*d))
		}
	}
	strength, err := p.strengthHolds(ctx, m, f)
	if err != nil {
		return Dependences{}, err
	}
	slices.SortStableFunc(answer.Holds, byDependence)
	slices.SortStableFunc(strength, byDependence)
	answer.Holds = append(answer.Holds, strength...)
	return answer, p.meter.err()
}

func byDependence(a, b Hold) int { return cmp.Compare(b.Percent, a.Percent) }

func (l *LineCoverage) hold(d Dependence) Hold {
	required, _ := l.Required.Number()
	supply, _ := l.Supply.Number()
	quantity, of := events.Unknown, events.Unknown // where none of it is known
	if len(l.Who) > 0 {
		quantity, of = l.Who[0].Quantity, l.Supply
	}
	held, _ := quantity.Number()
	return Hold{Operation: l.Operation, Line: l.Line, Role: l.Role, Unit: l.Unit, Day: l.Day,
		Dependence: d, Quantity: quantity, Of: of,
		Without: l.Unit.Of(max(0, required-supply+held)), Essential: l.Essential}
}

// strengthHolds finds the nations that hold at least half of what an operation, or a role in it,
// has of a unit.
func (p *Picture) strengthHolds(ctx context.Context, m Moment, f DependenceFilter) ([]Hold, error) {
	by := []string{"operation"}
	if f.ByRole {
		by = append(by, "role")
	}
	only := Filter{Operation: f.Operation, Role: f.Role}
	totals, err := p.Strength(ctx, m, only, by)
	if err != nil {
		return nil, err
	}
	holds, days := []Hold{}, map[events.Date]Strength{}
	for _, total := range totals.Rows {
		rows, ok := days[total.Day]
		if !ok {
			one := totals.Basis.onDay(max(total.Day, totals.On)).Moment()
			if rows, err = p.Strength(ctx, one, only, append(by, "nation")); err != nil {
				return nil, err
			}
			days[total.Day] = rows
		}
		var parts []portion
		var unknown []events.Nation
		for _, row := range rows.Rows {
			if row.Operation != total.Operation || row.Role != total.Role ||
				row.Unit != total.Unit {
				continue
			}
			if n, _ := row.Quantity.Number(); n > 0 {
				parts = append(parts, portion{n, row.Nation})
			}
			if row.Unknown > 0 {
				unknown = append(unknown, row.Nation)
			}
		}
		whole, _ := total.Quantity.Number()
		who := sharesOf(parts, total.Unit, whole)
		if d := dependence(who, unknown); d != nil && f.nation(d.Nation) {
			one := Hold{Operation: total.Operation, Role: total.Role, Unit: total.Unit,
				Day: total.Day, Dependence: *d, Quantity: events.Unknown, Of: total.Quantity}
			if len(who) > 0 {
				one.Quantity = who[0].Quantity
			}
			holds = append(holds, one)
		}
	}
	return holds, nil
}
