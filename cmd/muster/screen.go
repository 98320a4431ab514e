package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"unicode/utf8"

	"golang.org/x/term"
	"golang.org/x/text/transform"

	"muster/events/problem"
)

// A screen is where text leaves for a person: the standard output and the standard error of every
// command. Whatever somebody else has written (a statement, a server's answer or refusal, a file,
// a header) passes here, and nothing of it moves the cursor, sets a title, or turns a line around:
// such characters are shown as their numbers, such as ⟨U+202E⟩.
//
// Data for programs goes another way. JSON says the same with \u202e, see [asJSON]; CSV, signed
// notes and records as stored are bytes that must not change, so they are what they are in a file
// or a pipe, and only on a terminal shown as text is: see [exact]. What the program itself does to
// a terminal, such as a bold head and a bar, goes through [own].
//
// It may be used concurrently.
type screen struct {
	to   io.Writer
	mu   *sync.Mutex
	text io.Writer // escapes, and writes to to
	wide bool      // tables have all columns, also where they do not fit
}

func newScreen(to io.Writer) *screen {
	return &screen{to: to, mu: new(sync.Mutex), text: escaping(to, textForm)}
}

// Write implements io.Writer.
func (s *screen) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(text)
}

// asJSON is the way of JSON to w: what acts in its strings is escaped as JSON does it.
func asJSON(w io.Writer) io.Writer { return escaping(own(w), jsonForm) }

// exact is the way of bytes to w that must not change.
func exact(w io.Writer) io.Writer {
	if isTerminal(w) {
		return w
	}
	return own(w)
}

// own is the way to w of what the program itself does to a terminal. Nothing that others have
// written may go there unless it was shown before.
func own(w io.Writer) io.Writer {
	if s, ok := w.(*screen); ok {
		return s.to
	}
	return w
}

func isTerminal(w io.Writer) bool {
	f, ok := own(w).(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// escaping writes to w, with what acts in the form that is wanted.
func escaping(w io.Writer, form func(rune) string) io.Writer {
	return transform.NewWriter(w, escaper{form: form})
}

func textForm(r rune) string { return problem.Shown(r) }

func jsonForm(r rune) string { return fmt.Sprintf(`\u%04x`, r) }

// An escaper is a transformer of text. New lines and tabs stay, and what is no UTF-8 becomes
// U+FFFD.
type escaper struct {
	transform.NopResetter
	form func(rune) string
}

// Transform implements transform.Transformer.
func (e escaper) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for nSrc < len(src) {
		if !atEOF && !utf8.FullRune(src[nSrc:]) {
			return nDst, nSrc, transform.ErrShortSrc
		}
		r, size := utf8.DecodeRune(src[nSrc:])
		text := string(r)
		if problem.Acts(r) && r != '\n' && r != '\t' {
			text = e.form(r)
		}
		if len(dst)-nDst < len(text) {
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += copy(dst[nDst:], text)
		nSrc += size
	}
	return nDst, nSrc, nil
}
