package server

import (
	"io"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"muster/cmd/internal/pipetest"
)

// A server that ends waits for who is answered, and not for who has dialled and says nothing:
// neither before they have said something, nor between two requests.
func TestEndsWithoutTheSilent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, endsWithoutTheSilent)
}

func endsWithoutTheSilent(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	server := bounded(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-answer
		_, _ = io.WriteString(w, "answered")
	}), slog.New(slog.DiscardHandler))
	l, served := pipetest.New(), make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	silent, err := l.DialContext(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	client := http.Client{Transport: &http.Transport{DialContext: l.DialContext}}
	defer client.CloseIdleConnections()
	got := make(chan string, 1)
	go func() {
		defer close(got)
		answer, err := client.Get("http://localhost")
		if err != nil {
			t.Error(err)
			return
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		got <- string(body)
	}()
	<-asked
	ended := make(chan error, 1)
	begun := time.Now()
	go func() { ended <- server.end(time.Minute) }()
	if n, err := silent.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("who says nothing reads %d bytes: %v", n, err)
	}
	if took := time.Since(begun); took != silentTimeout {
		t.Errorf("who says nothing was left after %s", took)
	}
	select {
	case err := <-ended:
		t.Errorf("it ended while somebody was answered: %v", err)
	default:
	}
	close(answer)
	if body := <-got; body != "answered" {
		t.Errorf("who was under way got %q", body)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > 4*time.Second {
		t.Errorf("it ended after %s", took)
	}
	if err := <-served; err != http.ErrServerClosed {
		t.Error(err)
	}
}
