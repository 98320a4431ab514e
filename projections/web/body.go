package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"muster/events/problem"
)

// A sentBody is the body of a request as far as it was read ahead, and then what is left of it.
type sentBody struct {
	io.Reader
	io.Closer
	control *http.ResponseController
	ahead   []byte // what was read ahead
	whole   bool   // that is all of it
}

// Read implements io.Reader.
func (b *sentBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil {
		b.undue() // a deadline that was set meanwhile would end what is done with the body
	}
	return n, err
}

// undue takes the deadline for reading from the connection.
func (b *sentBody) undue() { _ = b.control.SetReadDeadline(time.Time{}) }

// receive reads the body of a request before the request takes a slot, so that who sends one slowly
// holds up nobody else. A short one, as nearly all are, needs no room of its own: it takes as much
// memory as a connection does. Of long ones so many are read at a time, until done is called.
func (s *Service) receive(g *guarded, r *http.Request) (done func(), err error) {
	if r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody {
		return func() {}, nil
	}
	defer context.AfterFunc(s.waiting, func() { _ = g.control.SetReadDeadline(time.Now()) })()
	var sent bytes.Buffer
	done = func() {}
	more, err := readAhead(&sent, r.Body, shortBody)
	if more {
		if done, err = s.slots.bodies.Acquire(r.Context(), s.clientOf(r)); err != nil {
			return nil, err
		}
		more, err = readAhead(&sent, r.Body, MaxBody+1)
	}
	if err != nil {
		done()
		return nil, s.notReceived(err)
	}
	r.Body = &sentBody{io.MultiReader(&sent, r.Body), r.Body, g.control, sent.Bytes(), !more}
	return done, nil
}

// notReceived says why a body did not arrive.
func (s *Service) notReceived(err error) error {
	switch {
	case s.waiting.Err() != nil:
		return errStopping
	case errors.Is(err, os.ErrDeadlineExceeded):
		return problem.New(problem.Unavailable, "the body of the request did not arrive in time").
			WithHint("send it again")
	}
	return problem.New(problem.Usage, "the body of the request cannot be read: %w", err).
		WithHint("send it again")
}

// readAhead reads on until a body has ended or so much of it was read, and reports whether there
// may be more.
func readAhead(into *bytes.Buffer, body io.Reader, most int64) (more bool, err error) {
	wanted := most - int64(into.Len())
	n, err := io.Copy(into, io.LimitReader(body, wanted))
	return n == wanted, err
}
