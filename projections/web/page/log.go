package page

import (
	"strconv"
	"strings"
	"time"

	"muster/events"
	"muster/projections/web"
)

// A logPage shows records as they are stored.
type logPage struct {
	*frame
	Records []logRecord // the newest of the page first
	// Earlier and Later are the first records of the pages before and after, 0 where there is none.
	Earlier, Later uint64
	Filtered       bool
	CSV            string
}

// A logRecord is a record, and its parts for people.
type logRecord struct {
	web.Record
	Time time.Time
	// Statement is the line that was signed.
	Statement string
}

// logSize is how many records a page of the log has.
const logSize = 50

var logFilters = []string{"nation", "type", "signer", "operation"}

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
	answer, err := ask(f, web.Read[web.RecordsQuery], f.service.Records, "from", from, "limit", logSize, "wait", "")
	if err != nil {
		return nil, err
	}
	for i := len(answer.Records) - 1; i >= 0; i-- {
		if r := answer.Records[i]; r.Sequence <= last {
			l.Records = append(l.Records, shownRecord(r))
		}
	}
	if answer.Next <= last {
		l.Later = answer.Next
	}
	if n := len(l.Records); n > 0 && l.Records[n-1].Sequence > 1 && !l.Filtered {
		l.Earlier = l.Records[n-1].Sequence - min(l.Records[n-1].Sequence-1, logSize)
	}
	l.CSV = web.Root + "/records.csv?" + f.only("nation", "operation", "type", "signer", "from").Encode()
	return l, nil
}

func shownRecord(r web.Record) logRecord {
	at, _ := time.Parse(time.RFC3339Nano, r.Recorded) // as the server wrote it
	_, rest, _ := strings.Cut(r.Stored, "\n")
	statement, _, _ := strings.Cut(rest, "\n")
	return logRecord{r, at, statement}
}

// Types lists the kinds of statement.
func (l *logPage) Types() []events.Type { return events.Types() }

// LiveAddress is where the server tells the records as they come.
func (l *logPage) LiveAddress() string {
	if l.Later > 0 {
		return "" // nothing comes to an old page
	}
	return web.Root + "/records/events?" + l.only(logFilters...).Encode()
}
