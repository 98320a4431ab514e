package events

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"muster/events/problem"
)

func syntax(format string, args ...any) *problem.Problem {
	return problem.New(problem.Syntax, format, args...)
}

func tooLarge(size int) error {
	return problem.New(problem.TooLarge, "the statement has %d bytes: at most %d are taken",
		size, MaxBytes)
}

// oneLine checks what does not depend on the JSON.
func oneLine(text []byte) error {
	if err := plainText(text); err != nil {
		return err
	}
	if bytes.IndexByte(text, '\n') >= 0 {
		return syntax(`the statement must be one line of JSON: write a line break inside a text as \n`)
	}
	return nil
}

// plainText checks what a note and the JSON in it have in common: size, encoding, and no control
// character but LF.
func plainText(text []byte) error {
	switch {
	case len(text) > MaxBytes:
		return tooLarge(len(text))
	case len(bytes.TrimSpace(text)) == 0:
		return syntax("the statement is empty")
	}
	for i := 0; i < len(text); {
		if c := text[i]; ' ' <= c && c < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return syntax("the statement is not valid UTF-8 at byte %d: write it in UTF-8", i)
		case r == '\r':
			return syntax(`the statement has a carriage return at byte %d: end lines with LF alone, and write one inside a text as \n`, i)
		case r < 0x20 && r != '\n':
			return syntax("the statement has the control character %U at byte %d: leave it out", r,
				i)
		}
		i += size
	}
	return nil
}

// wellNested reads the JSON token by token, without asking what it means.
func wellNested(text []byte) error {
	dec := jsontext.NewDecoder(bytes.NewReader(text))
	if k := dec.PeekKind(); k != '{' {
		return syntax("the statement must be one JSON object, {…}")
	}
	for {
		if _, err := dec.ReadToken(); err != nil {
			return badJSON(err)
		}
		if dec.StackDepth() > MaxDepth {
			return syntax("the statement is nested deeper than %d at byte %d: no statement "+
				"needs that", MaxDepth, dec.InputOffset())
		}
		if dec.StackDepth() == 0 {
			break
		}
	}
	end := dec.InputOffset()
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return syntax("there is more after the statement's end at byte %d: send one statement "+
			"alone", end)
	}
	return nil
}

// badJSON says in the words of this package what the JSON library found.
func badJSON(err error) error {
	var at *jsontext.SyntacticError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return syntax("the statement ends in the middle of its JSON: send all of it")
	case !errors.As(err, &at):
		return syntax("the statement is not well-formed JSON: %w", err)
	case errors.Is(err, jsontext.ErrDuplicateName):
		return syntax("the member %q is there twice: leave one out",
			problem.Shorten(at.JSONPointer.LastToken()))
	}
	return syntax("the statement is not well-formed JSON at byte %d: %w", at.ByteOffset, at.Err)
}
