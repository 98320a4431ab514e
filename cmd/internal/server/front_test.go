package server

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// Who comes to a server that stops is told so at once, and nothing of what they send is read.
func TestStoppingReadsNothingMore(t *testing.T) {
	f := newFront(Config{}, nil)
	srv := httptest.NewServer(f.whileOpen(http.NotFoundHandler()))
	defer srv.Close()
	for _, want := range []int{http.StatusNotFound, http.StatusServiceUnavailable} {
		body, never := io.Pipe()
		if want == http.StatusNotFound {
			never.Close()
		}
		answer, err := http.Post(srv.URL+"/api/v1/preview", "application/json", body)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		never.Close()
		if answer.StatusCode != want || answer.Close != (want != http.StatusNotFound) {
			t.Errorf("%s, and the connection ends: %t", answer.Status, answer.Close)
		}
		f.stopping.Store(true)
	}
}
