package round_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/events"
	"muster/ledger/intake/round"
	"muster/ledger/rules"
)

// said returns what there is to record, as types and quantities, and has the rules of a ledger
// judge each statement after the ones before it.
func said(t *testing.T, r *round.Round) (all []string) {
	t.Helper()
	l := newLedger(t)
	for _, chain := range r.Chains() {
		var line []string
		for _, s := range chain {
			if err := l.record(s.Statement); err != nil {
				t.Errorf("%s: %v", r.Rows[s.Row].Sentence.String(), err)
			}
			line = append(line, s.Statement.Head().Type.Event()+how(s.Statement))
		}
		all = append(all, strings.Join(line, ", "))
	}
	return all
}

func how(st events.Statement) string {
	switch st := st.(type) {
	case *events.PledgeOffered:
		return fmt.Sprintf(" %s %s", st.Nation, st.Quantity)
	case *events.PledgeIndicated:
		return fmt.Sprintf(" %s %s", st.Nation, st.Quantity)
	case *events.PledgeObserved:
		return fmt.Sprintf(" %s %s", st.Nation, st.Quantity)
	case *events.PledgeDeployed:
		return fmt.Sprintf(" %s on %s", st.Quantity, st.Effective)
	case *events.PledgeReported:
		return " " + st.Quantity.String()
	case *events.PledgeAmended:
		return " " + st.Quantity.String()
	case *events.ConditionAdded:
		return " " + string(st.Condition)
	case *events.CaveatDeclared:
		return fmt.Sprintf(" %s %q", st.Caveat, st.Restriction)
	}
	return ""
}

// A ledger judges statements as a server does.
type ledger struct {
	t      *testing.T
	state  *rules.State
	signer *events.Signer
	next   uint64
}

func newLedger(t *testing.T) *ledger {
	t.Helper()
	secret, public, err := events.NewKey("HQ/staff")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := events.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	l := &ledger{t: t, state: rules.NewState(), signer: signer}
	for _, st := range []events.Statement{
		&events.LedgerFounded{Header: head("ledger.founded"), Title: "A case",
			Founder: public},
		&events.OperationOpened{Header: head("operation.opened"),
			Dated: events.Dated{Effective: 2000_01_01},
			OperationTerms: events.OperationTerms{Operation: "op1", Title: "A case",
				Roles: []events.RoleDefinition{
					{Role: "ground", Title: "Troops", Units: []events.Unit{"personnel"}},
					{Role: "money", Title: "Money", Units: []events.Unit{"USD"}}}}},
	} {
		if err := l.record(st); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func head(t events.Type) events.Header {
	return events.Header{Type: t, ID: events.NewID(), Ledger: origin}
}

func (l *ledger) record(st events.Statement) error {
	l.t.Helper()
	if _, err := events.Marshal(st); err != nil {
		return err
	}
	if err := rules.DecideNew(l.state, l.signer.Key(), st); err != nil {
		return err
	}
	l.next++
	signed, err := events.Sign(st, l.signer)
	if err != nil {
		return err
	}
	_, err = l.state.Apply(events.Record{Sequence: l.next, Signed: signed,
		Recorded: time.Date(2026, 11, 1, 0, 0, int(l.next), 0, time.UTC)})
	return err
}

// Pledged and delivered stand side by side: vaccine doses, as of August 2021.
func TestPledgedAndDelivered(t *testing.T) {
	const table = "donor,pledged,delivered\nUnited States,857500000,547600000\n" +
		"France,122617100,62000000\nGermany,175000000,101000000\nItaly,100,0\n"
	m := mapping(t, "columns: {nation: donor, quantity: pledged, deployed: delivered}\n"+
		"always: {operation: op1, role: ground, unit: personnel, effective: 2021-08-01, "+
		"from: 2021-08-01}\nexpect: {rows: 4, sum: 1155117200, unit: personnel}\n")
	want := []string{
		"offered USA 857500000, accepted, confirmed, deployed 547600000 on 2021-08-01",
		"offered FRA 122617100, accepted, confirmed, deployed 62000000 on 2021-08-01",
		"offered DEU 175000000, accepted, confirmed, deployed 101000000 on 2021-08-01",
		"offered ITA 100"}
	r := read(t, table, m)
	if diff := cmp.Diff(want, said(t, r)); diff != "" {
		t.Error(diff)
	}
	again := read(t, table, m)
	for i, c := range r.Chains() {
		for j, s := range c {
			if id := again.Chains()[i][j].Statement.Head().ID; id != s.Statement.Head().ID {
				t.Errorf("the second time the %s has another ID", s.Statement.Head().Type)
			}
		}
	}
}

// Flows of money with a status, as the UN's Financial Tracking Service has them.
const flows = "donor,amount,status,date\nGermany,500000.00,paid,2020-06-01\n" +
	"Japan,250000.00,commitment,2020-06-01\nKuwait,100000.00,pledge,2020-06-01\n" +
	"Malta,-5000.00,paid,2020-06-01\nMalta,20000,paid,2020-05-01\nMalta,-15000,paid,2020-07-01\n"

const flowsMap = "columns: {nation: donor, quantity: amount, effective: date, from: date, " +
	"rung: status}\nalways: {operation: op1, role: money, unit: USD}\n" +
	"words: {rung: {paid: deployed, commitment: confirmed, pledge: offered}}\n"

func TestStatusBecomesARung(t *testing.T) {
	m := mapping(t, flowsMap+"negative: reduce\nexpect: {rows: 4, sum: 850000, unit: USD}\n")
	want := []string{
		"offered DEU 500000.00, accepted, confirmed, deployed 500000.00 on 2020-06-01",
		"offered JPN 250000.00, accepted, confirmed",
		"offered KWT 100000.00",
		"offered MLT 20000.00, accepted, confirmed, deployed 20000.00 on 2020-05-01, " +
			"amended 15000.00, reported 15000.00, returned"}
	r := read(t, flows, m)
	if diff := cmp.Diff(want, said(t, r)); diff != "" {
		t.Error(diff)
	}
	if got, want := r.Rows[3].Sentence.String(),
		"Malta (MLT) takes 5000.00 USD off what line 6 says: 15000.00 USD are left"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := r.Rows[0].Offer.Note; got != `published with status "paid"` {
		t.Error(got)
	}
	says(t, refusals(t, flows, mapping(t, flowsMap)), "quantity: is less than 0, and a pledge",
		`(2 rows: lines 5 "-5000.00", 7 "-15000")`)
	first := strings.Join(strings.SplitAfter(flows, "\n")[:5], "")
	says(t, refusals(t, first, mapping(t, flowsMap+"negative: reduce\n")),
		`line 5: quantity "-5000.00": takes something off, and no row of the file`)
	says(t, refusals(t, first, mapping(t, strings.Replace(flowsMap, "paid: deployed, ", "", 1)+
		"skip: negative\n")), `line 2: rung "paid": no rung: say under words`)
}

func TestEveryTermHasADefault(t *testing.T) {
	m := mapping(t, `
always: {operation: op1, role: ground, unit: personnel, effective: 2024-01-01, from: 2024-01-01,
  expires: 2024-06-30, conditions: parliament; funding,
    caveats: "no night flights; west-only: stays in the west",
  release: coordinators, releasable_to: "GBR, Norway", line: g, reference: NV 12/2024,
    notice_to_move: 5, elsewhere: NRF; EU BG, rung: indicated}
`)
	r := read(t, "nation,quantity\nFRA,10\n", m)
	want := []string{`indicated FRA 10, added parliament, added funding, declared ` +
		`no-night-flights "no night flights", declared west-only "stays in the west"`}
	if diff := cmp.Diff(want, said(t, r)); diff != "" {
		t.Error(diff)
	}
	o := r.Rows[0].Offer
	if o.Expires != 2024_06_30 || len(o.ReleasableTo) != 2 || o.ReleasableTo[1] != "NOR" ||
		len(o.Elsewhere) != 2 || o.Line != "g" || *o.NoticeToMove != 5 ||
		o.Reference != "NV 12/2024" {
		t.Errorf("%+v", o)
	}
	m.Always["rung"] = "deployed"
	says(t, refusals(t, "nation,quantity\nFRA,10\n", m),
		"a pledge with an open condition of its nation is not deployed")
	observed := mapping(t, usual+"words: {rung: {seen: observed}}\n")
	observed.Always["source"], observed.Always["rung"] = "NATO", "seen"
	if got := said(t, read(t, "nation,quantity\nFRA,10\n", observed)); got[0] != "observed FRA 10" {
		t.Error(got)
	}
}

// Published strength of several days is one pledge that was seen, and reports of it.
func TestStrengthThatWasSeen(t *testing.T) {
	m := mapping(t, "columns: {quantity: [women, men], effective: date, from: date}\n"+
		"always: {operation: op1, role: ground, unit: personnel, rung: observed, source: UN}\n"+
		"skip: zero\ndates: 31-Jan-21\nexpect: {rows: 6, sum: 451, unit: personnel}\n")
	const table = "nation,women,men,date\nGhana,10,100,28-Feb-21\nGhana,0,100,31-Jan-21\n" +
		"Ghana,0,0,31-Mar-21\nNepal,,50,31-Jan-21\nNepal,,50,28-Feb-21\nMali,0,0,31-Jan-21\n" +
		"Ghana,1,70,30-Apr-21\nNepal,20,50,31-Mar-21\n"
	r := read(t, table, m)
	want := []string{"observed GHA 100, reported 110, returned", "observed NPL 50, reported 70",
		"observed GHA 71"}
	if diff := cmp.Diff(want, said(t, r)); diff != "" {
		t.Error(diff)
	}
	says(t, []string{r.Rows[0].Sentence.String()},
		"Ghana (GHA) is 110 personnel strong on 2021-02-28, "+
			"for ground to op1, reported of what line 3 has seen")
	says(t, []string{r.Rows[4].Sentence.String()},
		"Nepal (NPL) is as strong on 2021-02-28 as before")
	if len(r.Left) != 1 || r.Left[0].Lines[0] != 7 {
		t.Errorf("%+v", r.Left)
	}
	says(t, refusals(t, table+"Nepal,1,1,28-Feb-21\n", m), "line 10: effective "+
		"\"2021-02-28\": the strength of the same nation, operation and role on the same "+
		"day stands in another row")
}
