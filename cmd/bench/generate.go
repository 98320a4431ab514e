package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"muster/events"
)

// The generated ledger: 40 nations, 12 roles in each of 4 operations, and pledges that live as
// pledges do: offered, accepted, confirmed, deployed, then reported and amended. All statements are
// signed beforehand, and kept in a file for later runs.

const (
	generatedForm   = 1 // changes when what is generated does
	generatedSeed   = 1
	generatedOrigin = "bench.muster.example/ledger"
	operations      = 4
	roles           = 12
)

// A generated is a ledger in memory.
type generated struct {
	records  []events.Record
	preamble int // how many records come before the first pledge
	nations  int
}

// generate returns a ledger, from the file of an earlier run where there is one.
func (o *options) generate(records, pledges, nations int) (*generated, error) {
	name := fmt.Sprintf("ledger-%d-%d-%d-%d-%d", generatedForm, generatedSeed, records,
		pledges, nations)
	if o.confided > 0 {
		name += fmt.Sprintf("-confided-%d", o.confided)
	}
	path := filepath.Join(o.work, name+".records")
	if g, err := loadGenerated(path); err == nil {
		return g, nil
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w: remove it", path, err)
	}
	fmt.Fprintf(o.log, "bench: generating and signing %d records\n", records)
	g, err := newGenerator(nations)
	if err != nil {
		return nil, err
	}
	g.confided = o.confided
	g.preface()
	g.live(pledges, records)
	if g.err != nil {
		return nil, g.err
	}
	return &g.generated, g.save(path)
}

type generator struct {
	generated
	random  *rand.Rand
	names   []events.Nation
	signers map[events.Nation]*events.Signer
	made    int
	err     error

	confided int // of so many pledges one is not for the coalition; 0 for none
}

func newGenerator(nations int) (*generator, error) {
	g := &generator{random: rand.New(rand.NewPCG(generatedSeed, 2)),
		signers: map[events.Nation]*events.Signer{}}
	all := events.Nations()
	if nations > len(all) {
		return nil, fmt.Errorf("there are %d nations in the world", len(all))
	}
	g.nations, g.names = nations, all[:nations]
	for _, n := range append([]events.Nation{events.HQ}, g.names...) {
		secret, _, err := events.NewKey(string(n) + "/bench")
		if err != nil {
			return nil, err
		}
		if g.signers[n], err = events.NewSigner(secret); err != nil {
			return nil, err
		}
	}
	return g, nil
}

func (g *generator) head(t events.Type) events.Header {
	g.made++
	var tail [10]byte
	binary.BigEndian.PutUint64(tail[2:], uint64(g.made))
	id, err := events.IDAt(uint64(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli())+
		uint64(g.made), tail)
	g.note(err)
	return events.Header{Type: t, ID: id, Ledger: generatedOrigin}
}

func (g *generator) note(err error) {
	if g.err == nil {
		g.err = err
	}
}

// say signs a statement and appends its record.
func (g *generator) say(by events.Nation, s events.Statement) {
	if g.err != nil {
		return
	}
	signed, err := events.Sign(s, g.signers[by])
	if err != nil {
		g.note(err)
		return
	}
	n := uint64(len(g.records)) + 1
	rec, err := events.NewRecord(n, time.UnixMicro(1767225600000000+int64(n)*2e6).UTC(),
		"bench", signed)
	g.note(err)
	g.records = append(g.records, rec)
}

func operation(i int) events.Operation {
	return events.Operation(fmt.Sprint("operation-", 'a'+rune(i%operations)))
}
func role(i int) events.Role { return events.Role(fmt.Sprint("role-", i%roles)) }
func area(i int) events.Area { return events.Area(fmt.Sprint("area-", i%5)) }

const firstDay events.Date = 2026_01_01

// preface founds the ledger, opens the operations, issues requirements and admits a liaison for
// each nation.
func (g *generator) preface() {
	hq := g.signers[events.HQ]
	g.say(events.HQ, &events.LedgerFounded{Header: g.head("ledger.founded"),
		Title: "Generated to be measured", Founder: hq.Key()})
	dated := events.Dated{Effective: firstDay}
	for i := range operations {
		terms := events.OperationTerms{Operation: operation(i), Title: "Generated"}
		for r := range roles {
			terms.Roles = append(terms.Roles,
				events.RoleDefinition{Role: role(r), Title: fmt.Sprint("Role ", r),
					Units: []events.Unit{"personnel"}})
		}
		g.say(events.HQ, &events.OperationOpened{Header: g.head("operation.opened"), Dated: dated,
			OperationTerms: terms})
		for l := range roles {
			g.say(events.HQ, &events.RequirementIssued{Header: g.head("requirement.issued"),
				Dated: dated, RequirementTerms: events.RequirementTerms{Operation: operation(i),
					Line: events.Line(fmt.Sprint("line-", l)), Role: role(l), Area: area(l),
					Quantity: events.Count(100_000), Unit: "personnel",
					Window: events.Window{From: firstDay}, Priority: 1 + l%9}})
		}
	}
	for _, n := range g.names {
		g.say(events.HQ, &events.MemberAdmitted{Header: g.head("member.admitted"),
			Key: g.signers[n].Key(), Role: events.Liaison})
	}
	g.preamble = len(g.records)
}

// A living is a pledge that goes on.
type living struct {
	at    events.Place
	terms events.PledgeTerms
	id    events.ID
	day   events.Date
	step  int
}

// live offers all pledges, and then has them live until there are enough records.
func (g *generator) live(pledges, records int) {
	var all []*living
	for range pledges {
		if len(g.records) == records {
			return
		}
		all = append(all, g.offer())
	}
	for len(g.records) < records && g.err == nil {
		g.goOn(all[g.random.IntN(len(all))])
	}
}

func (g *generator) offer() *living {
	i := g.random.IntN(1 << 20)
	p := &living{at: events.Place{Operation: operation(i),
		Nation: g.names[g.random.IntN(len(g.names))]}, day: firstDay.AddDays(g.random.IntN(60))}
	p.terms = events.PledgeTerms{Role: role(i / 7),
		Quantity: events.Count(int64(1 + g.random.IntN(2000))), Unit: "personnel",
		Area:    area(i / 3),
		Window:  events.Window{From: firstDay.AddDays(g.random.IntN(200))},
		Release: events.CoalitionOnly, Note: "generated: forces of one nation for one role"}
	if g.random.IntN(3) == 0 {
		p.terms.Until = p.terms.From.AddDays(180 + g.random.IntN(500))
	}
	if g.confided > 0 && g.made%g.confided == 0 {
		g.confide(p)
	}
	s := &events.PledgeOffered{Header: g.head("pledge.offered"),
		Dated: events.Dated{Effective: p.day}, Place: p.at, PledgeTerms: p.terms}
	p.id = s.ID
	g.say(p.at.Nation, s)
	return p
}

// confide releases a pledge to the coordinators alone, or to one more nation too.
func (g *generator) confide(p *living) {
	p.terms.Release = events.CoordinatorsOnly
	if to := g.names[g.random.IntN(len(g.names))]; to != p.at.Nation && g.random.IntN(2) == 0 {
		p.terms.ReleasableTo = []events.Nation{to}
	}
}

func (g *generator) goOn(p *living) {
	p.day = p.day.AddDays(1 + g.random.IntN(20))
	step := func(t events.Type) events.PledgeStep {
		return events.PledgeStep{Header: g.head(t), Dated: events.Dated{Effective: p.day},
			Place: p.at, Step: events.Step{Pledge: p.id}}
	}
	strength := events.Strength{Quantity: events.Count(int64(1 + g.random.IntN(2000))),
		Unit: "personnel"}
	p.step++
	switch {
	case p.step == 1:
		g.say(events.HQ, &events.PledgeAccepted{PledgeStep: step("pledge.accepted")})
	case p.step == 2:
		g.say(p.at.Nation, &events.PledgeConfirmed{PledgeStep: step("pledge.confirmed")})
	case p.step == 3:
		g.say(p.at.Nation, &events.PledgeDeployed{PledgeStep: step("pledge.deployed"),
			Strength: strength})
	case p.step%4 == 0:
		p.terms.Quantity = events.Count(int64(1 + g.random.IntN(2000)))
		g.say(p.at.Nation, &events.PledgeAmended{Header: g.head("pledge.amended"),
			Dated: events.Dated{Effective: p.day}, Place: p.at, Pledge: p.id, PledgeTerms: p.terms})
	default:
		g.say(p.at.Nation, &events.PledgeReported{PledgeStep: step("pledge.reported"),
			Strength: strength})
	}
}

// The file: how many records come first, how many nations there are, and each record as stored,
// after its length.
func (g *generated) save(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), "generating-")
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	// What fails, Flush tells.
	put := func(n int) { _ = binary.Write(w, binary.BigEndian, uint32(n)) }
	put(g.preamble)
	put(g.nations)
	for _, r := range g.records {
		put(len(r.Stored))
		_, _ = w.Write(r.Stored)
	}
	return errors.Join(w.Flush(), f.Close(), os.Rename(f.Name(), path))
}

func loadGenerated(path string) (*generated, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<20)
	var head [2]uint32
	if err := binary.Read(r, binary.BigEndian, &head); err != nil {
		return nil, err
	}
	g := &generated{preamble: int(head[0]), nations: int(head[1])}
	for {
		var n [4]byte
		if _, err := io.ReadFull(r, n[:]); errors.Is(err, io.EOF) {
			return g, nil
		} else if err != nil {
			return nil, err
		}
		stored := make([]byte, binary.BigEndian.Uint32(n[:]))
		if _, err := io.ReadFull(r, stored); err != nil {
			return nil, err
		}
		rec, err := events.ParseRecord(uint64(len(g.records))+1, stored)
		if err != nil {
			return nil, err
		}
		g.records = append(g.records, rec)
	}
}

// bytes returns how long the records are together.
func (g *generated) bytes() (n int) {
	for i := range g.records {
		n += len(g.records[i].Stored)
	}
	return n
}
