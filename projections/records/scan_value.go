package records

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"time"
	"unicode/utf8"

	"muster/events"
)

// expect reads a text that must be there.
func (s *scan) expect(text string) {
	if len(s.rest) < len(text) || string(s.rest[:len(text)]) != text {
		s.failed, s.rest = true, nil
		return
	}
	s.rest = s.rest[len(text):]
}

// until reads up to a byte, and the byte.
func (s *scan) until(end byte) []byte {
	n := bytes.IndexByte(s.rest, end)
	if n < 0 {
		s.failed, s.rest = true, nil
		return nil
	}
	read := s.rest[:n]
	s.rest = s.rest[n+1:]
	return read
}

// word reads a word that is known.
func (s *scan) word(m member, end byte) string {
	word, ok := s.known[m][string(s.until(end))]
	if !ok {
		s.failed = true
	}
	return word
}

// text reads the rest of a free text.
func (s *scan) text() string {
	text := s.until('"')
	if len(text) > events.MaxText || !isPlain(text) {
		s.failed = true
		return ""
	}
	return string(text)
}

// isPlain reports whether a text stands in JSON as it is, and may stand in a statement.
func isPlain(text []byte) bool {
	for _, c := range text {
		if c < 0x20 || c == '\\' || c == '"' || c == 0x7f {
			return false
		}
	}
	return utf8.Valid(text)
}

// number reads a whole number from 0 on, up to most.
func (s *scan) number(most int64) (n int64) {
	digits := 0
	for digits < len(s.rest) && digits < 17 && '0' <= s.rest[digits] && s.rest[digits] <= '9' {
		n = n*10 + int64(s.rest[digits]-'0')
		digits++
	}
	if digits == 0 || s.rest[0] == '0' && digits > 1 || n > most {
		s.failed = true
		return 0
	}
	s.rest = s.rest[digits:]
	return n
}

// quantity reads a count, an amount of money or "unknown".
func (s *scan) quantity() {
	if len(s.rest) == 0 || s.rest[0] != '"' {
		if s.row.Number = s.number(events.MaxCount); s.row.Number < 1 {
			s.failed = true
		}
		return
	}
	s.rest = s.rest[1:]
	text := s.until('"')
	if string(text) == "unknown" {
		s.row.Unknown = true
		return
	}
	after := s.rest
	s.rest = text
	whole := s.number(events.MaxCount / 100)
	if s.expect("."); len(s.rest) != 2 {
		s.failed = true
		return
	}
	s.isMoney, s.row.Number = true, whole*100+int64(s.digits(0, 2))
	s.rest = after
	if s.row.Number < 1 || s.row.Number > events.MaxCount {
		s.failed = true
	}
}

// digits reads the number at a place in the rest, which is long enough.
func (s *scan) digits(from, until int) (n int) {
	for _, c := range s.rest[from:until] {
		if c < '0' || c > '9' {
			s.failed = true
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// date reads the rest of a date: 2026-11-23".
func (s *scan) date() int32 {
	if len(s.rest) < 11 || s.rest[4] != '-' || s.rest[7] != '-' || s.rest[10] != '"' {
		s.failed, s.rest = true, nil
		return 0
	}
	year, month, day := s.digits(0, 4), s.digits(5, 7), s.digits(8, 10)
	d := events.Date(year*10000 + month*100 + day)
	if month < 1 || month > 12 || day < 1 || day > 28 && events.DateOf(d.Time()) != d ||
		d < events.FirstDate || d > events.LastDate {
		s.failed = true
	}
	s.rest = s.rest[11:]
	return int32(d)
}

// instant reads the rest of an instant, 2026-11-23T18:00:00Z", of which the row has nothing.
func (s *scan) instant() {
	text := s.until('"')
	if _, err := events.ParseInstant(string(text)); err != nil {
		s.failed = true
	}
}

// recorded reads a time of recording.
func (s *scan) recorded() int64 {
	if len(s.rest) < len(events.RecordedForm) {
		s.failed, s.rest = true, nil
		return 0
	}
	text := s.rest[:len(events.RecordedForm)]
	if !bytes.Equal(text[:len(s.day)], s.day[:]) {
		midnight, err := time.Parse("2006-01-02", string(text[:len(s.day)]))
		if err != nil {
			s.failed = true
			return 0
		}
		s.since = midnight.UnixMicro()
		copy(s.day[:], text)
	}
	hour, minute, second := s.digits(11, 13), s.digits(14, 16), s.digits(17, 19)
	micros := s.digits(20, 26)
	if text[10] != 'T' || text[13] != ':' || text[16] != ':' || text[19] != '.' ||
		text[26] != 'Z' || hour > 23 || minute > 59 || second > 59 {
		s.failed = true
	}
	s.rest = s.rest[len(text):]
	return s.since + int64(hour*3600+minute*60+second)*1e6 + int64(micros)
}

// crockford has the values of the digits of an ID, and 0xFF for what is none.
var crockford = func() (values [256]byte) {
	for i := range values {
		values[i] = 0xFF
	}
	for value, digit := range "0123456789ABCDEFGHJKMNPQRSTVWXYZ" {
		values[digit] = byte(value)
	}
	return values
}()

// ulid reads the rest of an ID.
func (s *scan) ulid() (id events.ID) {
	const digits = 26
	if len(s.rest) <= digits || s.rest[digits] != '"' || s.rest[0] > '7' {
		s.failed, s.rest = true, nil
		return id
	}
	var high, low uint64
	for _, c := range s.rest[:digits] {
		value := crockford[c]
		if value == 0xFF {
			s.failed = true
		}
		high, low = high<<5|low>>59, low<<5|uint64(value)
	}
	s.rest = s.rest[digits+1:]
	binary.BigEndian.PutUint64(id[:8], high)
	binary.BigEndian.PutUint64(id[8:], low)
	if id.IsZero() {
		s.failed = true
	}
	return id
}

// checkpoint reads what the signer has seen, of which the row has nothing.
func (s *scan) checkpoint() {
	s.expect(`{"size":`)
	if s.number(events.MaxCount) < 1 {
		s.failed = true
	}
	s.expect(`,"root":"`)
	s.base64(s.until('"'), 32)
	s.expect("}")
}

// signature reads the rest of the signature, which is the end of the record. Who was to have signed
// stands before it.
func (s *scan) signature() {
	s.base64(s.until('\n'), 4+64)
	if len(s.rest) > 0 {
		s.failed = true
	}
}

// base64 reads canonical base 64 of so many bytes.
func (s *scan) base64(text []byte, size int) {
	var room [128]byte
	if len(text) != base64.StdEncoding.EncodedLen(size) {
		s.failed = true
		return
	}
	if n, err := base64.StdEncoding.Strict().Decode(room[:], text); err != nil || n != size {
		s.failed = true
	}
}
