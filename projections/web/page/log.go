package page

import (
	"cmp"
	"encoding/base64"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/events"
	"muster/projections/web"
)

// A logPage shows records as they are stored, and the places of those that the view withholds.
type logPage struct {
	*frame
	Records []logRecord // the newest of the page first
	// Earlier and Later are the first records of the pages before and after, 0 where there is none.
	Earlier, Later uint64
	Filtered       bool
	CSV            string
	Keys           []logKey
}

// A logKey is a key of somebody who has signed a record of the page: the record that has it, which
// the browser looks for in the tree before it believes a signature.
type logKey struct {
	Record uint64
	Exact  string // its bytes, in base 64
}

// A logPattern is how the page says a kind of statement: static/sentence.js fills it in, with what
// it has found to be in the tree.
type logPattern struct{ Type, Says string }

// Says returns the patterns of the kinds on the page.
func (l *logPage) Says() (all []logPattern) {
	for _, r := range l.Records {
		one := logPattern{string(r.Type), l.T("log.says." + string(r.Type))}
		if r.Type != "" && !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	return all
}

// A logUnit is a unit with the page's words for one of it and for more, which static/sentence.js
// takes in its place.
type logUnit struct{ Unit, One, Other string }

var unitsIn = regexp.MustCompile(`"unit":"([A-Za-z][A-Za-z-]*)"`)

// Units returns the units of what the page shows.
func (l *logPage) Units() (all []logUnit) {
	for _, r := range l.Records {
		for _, found := range unitsIn.FindAllStringSubmatch(r.Statement, -1) {
			u := events.Unit(found[1])
			one := logUnit{found[1], l.unit(true, u), l.unit(false, u)}
			if !slices.Contains(all, one) {
				all = append(all, one)
			}
		}
	}
	return all
}

// A logRecord is a record, and its parts for people; or the place of one that is withheld.
type logRecord struct {
	web.Record
	Time time.Time
	// Statement is the line that was signed.
	Statement string
	// Leaf is the hash of a record that is withheld, in base 64: all that is told of it. It is ""
	// for one that may be read.
	Leaf string
}

// logSize is how many records a page of the log has.
const logSize = 50

var logFilters = []string{"nation", "type", "signer", "import", "operation"}

// log answers the page of the log. As of a record, it ends there.
func (p *Pages) log(f *frame) (any, error) {
	l := &logPage{frame: f}
	if f.Has("as_of") {
		if err := f.readPast(); err != nil {
			return nil, err
		}
	}
	last := f.service.Source.Last()
	if f.Basis.AsOf > 0 || isBefore(f.Basis) {
		last = f.Basis.AsOf
	}
	for _, name := range logFilters {
		l.Filtered = l.Filtered || f.Has(name)
	}
	from := f.Get("from")
	if from == "" && !l.Filtered {
		from = strconv.FormatUint(max(1, last-min(last, logSize)+1), 10)
	}
	answer, err := ask(f, web.Read[web.RecordsQuery], f.service.Records, "from", from, "limit",
		logSize, "wait", "")
	if err != nil {
		return nil, err
	}
	until := min(last, answer.Next-1)
	for _, r := range answer.Records {
		if r.Sequence <= last {
			l.Records = append(l.Records, shownRecord(r))
		}
	}
	if !l.Filtered {
		if until, err = l.addWithheld(from, until); err != nil {
			return nil, err
		}
	}
	if err := l.addKeys(); err != nil {
		return nil, err
	}
	slices.Reverse(l.Records)
	if until < last {
		l.Later = until + 1
	}
	if n := len(l.Records); n > 0 && l.Records[n-1].Sequence > 1 && !l.Filtered {
		l.Earlier = l.Records[n-1].Sequence - min(l.Records[n-1].Sequence-1, logSize)
	}
	l.CSV = f.Path(web.Root) + "/records.csv?" + f.only("nation", "operation", "type", "signer",
		"import", "from").Encode()
	return l, nil
}

// addKeys finds the keys that may have signed what the page shows.
func (l *logPage) addKeys() error {
	signers := map[string]bool{}
	for _, r := range l.Records {
		signers[r.Signer] = true
	}
	members, err := l.service.Members(l.ctx, &web.MembersQuery{})
	if err != nil {
		return err
	}
	for _, m := range members.Members {
		if !signers[m.Name] {
			continue
		}
		for rec, err := range l.service.Source.Records(cmp.Or(m.Proposed, m.Admitted)) {
			if err != nil {
				return err
			}
			l.Keys = append(l.Keys, logKey{rec.Sequence,
				base64.StdEncoding.EncodeToString(rec.Stored)})
			break
		}
	}
	return nil
}

// addWithheld puts the places of records that are withheld among those that the page has, through
// a record, and no more than a page has. It returns the last place of the page. Which records have
// what is asked for is not told of them, so that they stand in the whole log alone.
func (l *logPage) addWithheld(from string, until uint64) (uint64, error) {
	first, err := strconv.ParseUint(from, 10, 64)
	if err != nil { // from is a day, of which withheld records tell nothing
		if len(l.Records) == 0 {
			return until, nil
		}
		first = l.Records[0].Sequence
	}
	first = max(first, 1)
	until = min(until, first+logSize-1)
	readable := map[uint64]logRecord{}
	for _, r := range l.Records {
		readable[r.Sequence] = r
	}
	l.Records = nil
	var withheld []uint64
	for n := first; n <= until; n++ {
		r, ok := readable[n]
		if !ok {
			r = logRecord{Record: web.Record{Sequence: n}}
			withheld = append(withheld, n)
		}
		l.Records = append(l.Records, r)
	}
	leaves, err := l.pages.Ledger.LeafHashes(withheld)
	for i, n := range withheld {
		if err == nil {
			l.Records[n-first].Leaf = base64.StdEncoding.EncodeToString(leaves[i][:])
		}
	}
	return until, err
}

// Exact is a record's bytes in base 64, which the browser looks for in the tree: what is shown of
// them is not what is hashed, where they have characters that act.
func (r logRecord) Exact() string { return base64.StdEncoding.EncodeToString([]byte(r.Stored)) }

func shownRecord(r web.Record) logRecord {
	at, _ := time.Parse(time.RFC3339Nano, r.Recorded) // as the server wrote it
	_, rest, _ := strings.Cut(r.Stored, "\n")
	statement, _, _ := strings.Cut(rest, "\n")
	return logRecord{Record: r, Time: at, Statement: statement}
}

// Types lists the kinds of statement.
func (l *logPage) Types() []events.Type { return events.Types() }

// LiveAddress is where the server tells the records as they come.
func (l *logPage) LiveAddress() string {
	if l.Later > 0 {
		return "" // nothing comes to an old page
	}
	return l.Path(web.Root) + "/records/events?" + l.only(logFilters...).Encode()
}
