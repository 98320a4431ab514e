package events

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"muster/events/problem"
)

// Version is the version of the record's wire form that this package writes, and the highest that
// it reads.
const Version = 1

// A Record is a statement in its place in the ledger. The liaison signed the statement; the server
// that took it added the sequence (which is not part of the stored bytes: the stream and the
// journal keep it), the time and its own name.
type Record struct {
	// Sequence is the record's place in the ledger, from 1 on, without gaps. The Merkle tree's leaf
	// index is one less.
	Sequence uint64
	// Recorded is the server's clock when the record was made, in microseconds, never less than the
	// one before.
	Recorded time.Time
	// By names the server that took the statement.
	By string
	Signed
	// Stored is the whole record, byte for byte as it lies in the stream and the journal, and as it
	// is hashed.
	Stored []byte
}

// Leaf returns the record's leaf hash in the Merkle tree of its ledger (RFC 6962).
func (r Record) Leaf() [sha256.Size]byte {
	return sha256.Sum256(append([]byte{0}, r.Stored...))
}

// RecordedForm is the form of recorded times: RFC 3339 with microseconds, in UTC.
const RecordedForm = "2006-01-02T15:04:05.000000Z"

// envelope is the first line of a record. Its form is frozen: members may be added at the end, with
// a higher version.
type envelope struct {
	V        int    `json:"v"`
	Recorded string `json:"recorded"`
	By       string `json:"by"`
}

// NewRecord gives a signed statement its place. The time is cut to microseconds. A draft gets none.
func NewRecord(sequence uint64, recorded time.Time, by string, s Signed) (Record, error) {
	if s.IsDraft() {
		return Record{}, errDraft()
	}
	recorded = recorded.UTC().Truncate(time.Microsecond)
	stored := make([]byte, 0, len(`{"v":1,"recorded":"","by":""}`)+len(RecordedForm)+len(by)+
		1+len(s.Note))
	stored = append(strconv.AppendInt(append(stored, `{"v":`...), Version, 10), `,"recorded":"`...)
	stored = append(recorded.AppendFormat(stored, RecordedForm), `","by":`...)
	stored, err := jsontext.AppendQuote(stored, by)
	if err != nil {
		return Record{}, fmt.Errorf("record %d: the server's name %q: %w", sequence, by, err)
	}
	stored = append(stored, "}\n"...)
	envelope := len(stored)
	stored = append(stored, s.Note...)
	s.Note = stored[envelope:]
	return Record{sequence, recorded, by, s, stored}, nil
}

// ParseRecord reads a record as it is stored. It keeps stored, which must not be changed
// afterwards.
//
// The error is a [problem.Problem]: of kind Unavailable for a record of a higher version or with a
// type, member or value that is not known, since a reader never guesses and a newer one can read
// it; of kind Unverified for what is no record.
func ParseRecord(sequence uint64, stored []byte) (Record, error) {
	line, rest, _ := bytes.Cut(stored, []byte("\n"))
	e, recorded, err := parseEnvelope(line)
	if err != nil {
		return Record{}, unreadable(sequence, err)
	}
	signed, err := ParseSigned(rest)
	if err != nil {
		return Record{}, unreadable(sequence, err)
	}
	return Record{sequence, recorded, e.By, signed, stored}, nil
}

func parseEnvelope(line []byte) (e envelope, recorded time.Time, err error) {
	if err = json.Unmarshal(line, &e, strict); err != nil || e.V != Version {
		return e, recorded, wrongEnvelope(line, err)
	}
	recorded, err = time.Parse(RecordedForm, e.Recorded)
	if err != nil || recorded.Format(RecordedForm) != e.Recorded {
		return e, recorded, fmt.Errorf("the envelope's time is %q and not of the form %s",
			problem.Shorten(e.Recorded), RecordedForm)
	}
	return e, recorded, nil
}

// wrongEnvelope says why a line could not be read as this version has it, with the error of reading
// it so: another version may have other members.
func wrongEnvelope(line []byte, err error) error {
	var version struct {
		V *int `json:"v"`
	}
	switch bad := json.Unmarshal(line, &version); {
	case bad != nil:
		return fmt.Errorf("the first line is no envelope: %w", bad)
	case version.V == nil || *version.V < 1:
		return errors.New("the envelope names no version")
	case *version.V > Version:
		return fmt.Errorf("%w: it has version %d, and this muster reads up to %d", errNewer,
			*version.V, Version)
	}
	return fmt.Errorf("the envelope: %w", err)
}

var errNewer = errors.New("it was written by a newer muster")

// unreadable is the problem of a stored record that cannot be read. Fields that are wrong in it are
// not the reader's fault: a server has once accepted them, so that a newer one knows them.
func unreadable(sequence uint64, err error) error {
	if isUnsound(err) {
		return problem.New(problem.Unverified, "no ledger can have record %d: %w", sequence, err).
			WithHint("no Muster takes such a key: whoever has made this record may have signed " +
				"anything in its name")
	}
	if errors.Is(err, errNewer) || problem.Is(err, problem.Invalid) {
		return problem.New(problem.Unavailable, "record %d says what this muster cannot read: %w",
			sequence, err).
			WithHint("use a newer muster; if this is the newest, the record is damaged")
	}
	return problem.New(problem.Unverified, "record %d is damaged: %w", sequence, err)
}

// isUnsound reports whether an error is of a key with which anybody could sign. No newer Muster
// will take one.
func isUnsound(err error) bool {
	p := problem.Of(err)
	return p != nil && slices.ContainsFunc(p.Fields, func(f problem.Field) bool {
		return f.Message == unsoundKey
	})
}

// SubjectPrefix begins the NATS subject of every record; the stream takes SubjectPrefix + ">".
const SubjectPrefix = "muster.ev."

// Subject returns the NATS subject of a record: muster.ev.NATION.operation.kind.ULID.event. It is
// derived from the statement and never taken from the caller. The operation is "-" for what
// concerns the whole ledger.
func Subject(s Statement) string {
	nation, operation := About(s)
	if operation == "" {
		operation = "-"
	}
	t := s.Head().Type
	return SubjectPrefix + strings.Join([]string{string(nation), string(operation), t.Subject(),
		Thing(s).String(), t.Event()}, ".")
}

// ChangedPrefix begins the NATS subjects on which servers tell what was recorded. It is no subject
// of the stream.
const ChangedPrefix = "muster.changed."

// ChangedSubject returns the NATS subject on which a record is told to those who have a view:
// muster.changed.VIEW.NATION.operation.kind.ULID.event, which is the view and what [Subject] has
// behind its prefix. The view comes first, so that NATS permissions keep one from another; whoever
// may hear it may read the record, and with it all else that the subject says.
func ChangedSubject(v View, s Statement) string {
	return ChangedPrefix + string(v) + "." + strings.TrimPrefix(Subject(s), SubjectPrefix)
}
