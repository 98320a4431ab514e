package sheet

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"

	"muster/events/phrase"
	"muster/events/problem"
)

// marks are what a file may begin with, to say in which encoding it is.
var marks = []struct {
	mark []byte
	in   encoding.Encoding
}{
	{[]byte("\xef\xbb\xbf"), unicode.UTF8},
	{[]byte("\xff\xfe"), unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)},
	{[]byte("\xfe\xff"), unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)},
}

// FindEncoding reports whether the name is that of an encoding that is known here.
func FindEncoding(name string) bool {
	_, err := encodingNamed(name)
	return err == nil
}

// encodingNamed finds an encoding by a name of the web, or by one that spreadsheets have for it.
func encodingNamed(name string) (encoding.Encoding, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	if web, ok := map[string]string{"latin-1": "latin1", "latin 1": "latin1", "latin-9": "latin9",
		"ansi": "windows-1252", "utf8": "utf-8", "utf-8-sig": "utf-8", "utf16": "utf-16le",
		"utf16le": "utf-16le", "utf16be": "utf-16be"}[name]; ok {
		name = web
	}
	return htmlindex.Get(name)
}

// toUTF8 returns the text of a file: in the encoding that its first bytes say; or else in that of
// the given name; or else in UTF-8, which it must be. Eight bits that are no UTF-8 might be any of
// a dozen encodings, so that nobody but the sender can say which.
func toUTF8(data []byte, name string) ([]byte, error) {
	for _, m := range marks {
		if rest, ok := bytes.CutPrefix(data, m.mark); ok {
			return decode(rest, m.in, phrase.Of("the encoding that its first bytes say"))
		}
	}
	if name == "" {
		return data, plainText(data)
	}
	in, err := encodingNamed(name)
	if err != nil {
		return nil, problem.New(problem.Usage, "no encoding is called %q here", name).
			WithHint("write utf-8, utf-16le, utf-16be, windows-1252 or another name of the web")
	}
	if utf8.Valid(data) && in != unicode.UTF8 && !is16(in) && !isASCII(data) {
		return nil, problem.New(problem.Syntax, "the file is text in UTF-8, and not in %s", name).
			WithHint("leave out the encoding")
	}
	return decode(data, in, phrase.Verbatim(name))
}

func is16(in encoding.Encoding) bool {
	name, err := htmlindex.Name(in)
	return err == nil && strings.HasPrefix(name, "utf-16")
}

func isASCII(data []byte) bool {
	return !bytes.ContainsFunc(data, func(r rune) bool { return r >= utf8.RuneSelf })
}

// decode reads a text, every character of which the encoding must have.
func decode(data []byte, in encoding.Encoding, name phrase.Phrase) ([]byte, error) {
	if in == unicode.UTF8 {
		return data, plainText(data)
	}
	text, err := in.NewDecoder().Bytes(data)
	if err != nil {
		return nil, problem.New(problem.Syntax, "the file is no text in %s: %w", name, err)
	}
	i := bytes.IndexFunc(text, func(r rune) bool {
		return r == utf8.RuneError || 0x80 <= r && r < 0xa0
	})
	if i >= 0 {
		return nil, problem.New(problem.Syntax,
			"the file is no text in %s: line %d holds what that has no character for", name,
			lineOf(text, i)).WithHint("say another encoding, or save it as CSV in UTF-8")
	}
	return text, plainText(text)
}

func lineOf(text []byte, at int) int { return 1 + bytes.Count(text[:at], []byte("\n")) }

const saveAgain phrase.Text = "save it as CSV in UTF-8 (in Excel: CSV UTF-8)"

func plainText(data []byte) error {
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return problem.New(problem.Syntax, "the file is empty")
	case IsXLSX(data):
		return problem.New(problem.Syntax, "the file is not CSV, but a workbook, or another "+
			"archive").WithHint("import it as it is: muster import xlsx FILE; or %s", saveAgain)
	case bytes.IndexByte(data, 0) >= 0:
		return problem.New(problem.Syntax, "the file is not CSV: it holds bytes that no text has").
			WithHint("%s; text in UTF-16 without a mark at its beginning is read when the mapping "+
				"says so, `encoding: %s`", saveAgain, utf16Of(data))
	case !utf8.Valid(data):
		return notUTF8(data)
	}
	return nil
}

// utf16Of tells which UTF-16 a text may be in whose first character of the first 128 has a byte 0.
func utf16Of(data []byte) string {
	if bytes.IndexByte(data, 0)%2 == 0 {
		return "utf-16be"
	}
	return "utf-16le"
}

// notUTF8 names the first line that is none, and shows how it would read in the encoding in which
// most such files are.
func notUTF8(data []byte) error {
	const usual = "windows-1252"
	at := firstInvalid(data)
	from := bytes.LastIndexByte(data[:at], '\n') + 1
	line, _, _ := bytes.Cut(data[from:], []byte("\n"))
	p := problem.New(problem.Syntax, "the file is not text in UTF-8: line %d", lineOf(data, at)).
		WithHint("%s, or say in the mapping which encoding it is", saveAgain)
	in, err := htmlindex.Get(usual)
	if err != nil {
		return p
	}
	read, err := in.NewDecoder().Bytes(line)
	if err != nil {
		return p
	}
	return p.WithHint("%s, or say in the mapping which encoding it is: with `encoding: %s` the "+
		"line reads %q", saveAgain, usual, problem.Shorten(strings.TrimSpace(string(read))))
}

func firstInvalid(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(data)
}
