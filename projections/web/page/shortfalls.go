package page

import (
	"strings"

	"muster/events"
	"muster/projections"
	"muster/projections/web"
)

// A shortfalls is the page of what is missing, and of what would be if one nation, or one
// condition, fell away.
type shortfalls struct {
	*frame
	Gaps []projections.Gap
	// InForce is how many requirements are in force, and Next the next day on which one is, where
	// none is.
	InForce int
	Next    events.Date
	// Lines and Sums are what one nation holds at least half of: requirements, and the strength of
	// operations.
	Lines, Sums []projections.Hold
	Hanging     []projections.HangingSupply
	Alone       int // how many of Lines are held by one nation alone
	Essential   int // how many of Gaps are essential
	// GapsCSV, HoldsCSV and HangingCSV are where the API gives the same rows.
	GapsCSV, HoldsCSV, HangingCSV string
	// GapsJSON is where all is that could fill a gap.
	GapsJSON string
}

// shortfalls answers the page of what is missing.
func (p *Pages) shortfalls(f *frame) (any, error) {
	s := &shortfalls{frame: f}
	gaps, err := ask(f, web.Read[web.GapsQuery], f.service.Gaps)
	if err != nil {
		return nil, err
	}
	f.Basis, s.Gaps, s.InForce, s.Next = gaps.Basis, gaps.Gaps, gaps.InForce, gaps.Next
	holds, err := ask(f, web.Read[web.DependenceQuery], f.service.Dependence)
	if err != nil {
		return nil, err
	}
	hanging, err := ask(f, web.Read[web.FilterQuery], f.service.Hanging)
	if err != nil {
		return nil, err
	}
	s.Hanging = hanging.Hanging
	for _, g := range s.Gaps {
		if g.Essential {
			s.Essential++
		}
	}
	for _, h := range holds.Holds {
		switch {
		case h.Line == "":
			s.Sums = append(s.Sums, h)
			continue
		case h.Level == projections.Alone:
			s.Alone++
		}
		s.Lines = append(s.Lines, h)
	}
	s.GapsCSV, s.HoldsCSV = f.csv("gaps", gapsTakes), f.csv("dependence", gapsTakes)
	s.HangingCSV, s.GapsJSON = f.csv("hanging", gapsTakes),
		strings.Replace(s.GapsCSV, ".csv", "", 1)
	return s, nil
}

// gapsTakes are the parameters that all three questions of the page take.
var gapsTakes = []string{"as_of", "on", "rung", "operation", "role", "without",
	"without_conditional", "without_caveated", "discharge"}

// csv is where the API gives the rows of a question, asked with those of the parameters of this
// page that it takes, and with others: names and values in turn.
func (f *frame) csv(question string, takes []string, pairs ...any) string {
	return string(f.address(web.Root+"/"+question+".csv", f.only(takes...), pairs))
}

// ShownGaps, ShownLines, ShownSums and ShownHanging are the rows of the tables, as far as the page
// shows them.
func (s *shortfalls) ShownGaps() cut[projections.Gap] { return cutAt(s.Gaps, maxListed) }

// ShownLines: see [shortfalls.ShownGaps].
func (s *shortfalls) ShownLines() cut[projections.Hold] { return cutAt(s.Lines, maxListed) }

// ShownSums: see [shortfalls.ShownGaps].
func (s *shortfalls) ShownSums() cut[projections.Hold] { return cutAt(s.Sums, maxListed) }

// ShownHanging: see [shortfalls.ShownGaps].
func (s *shortfalls) ShownHanging() cut[projections.HangingSupply] {
	return cutAt(s.Hanging, maxListed)
}

// Since says on which days on end a requirement is short.
func (s *shortfalls) Since(g projections.Gap) string {
	if g.From == 0 && g.Until == 0 {
		return s.T("shortfalls.long")
	}
	return s.Window(events.Window{From: g.From, Until: g.Until})
}

// StateOf says how far a requirement with a gap is met, as the matrix does.
func (s *shortfalls) StateOf(g projections.Gap) cell {
	return cellOf(g.Required, numbers{Supply: g.Supply, Gap: g.Missing,
		Unknown: len(g.UnknownBy)})
}

// LevelOf says how much one nation holds, as a state of the matrix: alone as bad as nothing, and
// the rest as partly.
func (s *shortfalls) LevelOf(h projections.Hold) string {
	if h.Level == projections.Alone {
		return "none"
	}
	return "partly"
}

// CellAddress is the address of a line's cell in the matrix, opened, on the day told of.
func (f *frame) CellAddress(operation events.Operation, line events.Line, day events.Date) any {
	if day == 0 {
		day = f.Basis.On
	}
	return f.To("/", "open", string(operation)+"/"+string(line), "at", day)
}

// Over is the address of a line's time line.
func (f *frame) Over(operation events.Operation, line events.Line) any {
	return f.To("/timeline", "operation", operation, "line", line)
}

// A held is a hold as its template shows it.
type held struct {
	F *shortfalls
	H projections.Hold
}

// Held shows a hold.
func (s *shortfalls) Held(h projections.Hold) held { return held{s, h} }

// A holders is who makes a supply: the first few, and the rest.
type holders struct{ First, Rest []projections.Share }

// Holders returns who makes the supply of a requirement that is short.
func (s *shortfalls) Holders(g projections.Gap) holders {
	const most = 4
	n := len(g.Who)
	if n > most+1 {
		n = most
	}
	return holders{g.Who[:n], g.Who[n:]}
}

// CouldFill returns what could fill a gap. Of a long ledger that may be hundreds of pledges for
// each requirement, which the answer as JSON has all.
func (s *shortfalls) CouldFill(g projections.Gap) cut[projections.NotCounted] {
	return cutAt(g.Could, 20)
}

// Without is the address of the page without another nation.
func (s *shortfalls) Without(n events.Nation) any {
	all := string(n)
	if already := s.Get("without"); already != "" {
		all = already + "," + all
	}
	return s.Here("without", all)
}
