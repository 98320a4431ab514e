package server

import (
	"io"
	"net/http"
	"time"
)

// timely cuts off whoever is too slow with the body of a request, whatever the request asks for:
// each slow client would hold a connection, and what is kept for it, as long as it likes. When all
// has come, an answer may take its time.
func timely(within time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 { // -1 where the length was not said
			control := http.NewResponseController(w)
			if err := control.SetReadDeadline(time.Now().Add(within)); err == nil {
				r.Body = timelyBody{r.Body, control}
			}
		}
		next.ServeHTTP(w, r)
	})
}

// A timelyBody has no deadline any more once it was read to its end.
type timelyBody struct {
	io.ReadCloser
	control *http.ResponseController
}

func (b timelyBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		_ = b.control.SetReadDeadline(time.Time{}) // it could be set before
	}
	return n, err
}
