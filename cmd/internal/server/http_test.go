package server

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"
)

// A server that ends waits for who is answered, and not for who has dialled and says nothing:
// neither before they have said something, nor between two requests.
func TestEndsWithoutTheSilent(t *testing.T) {
	t.Parallel()
	asked, answer := make(chan struct{}), make(chan struct{})
	server := bounded(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-answer
		_, _ = io.WriteString(w, "answered")
	}), slog.New(slog.DiscardHandler))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	silent, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	got := make(chan string, 1)
	go func() {
		defer close(got)
		answer, err := http.Get("http://" + l.Addr().String())
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
	_ = silent.SetReadDeadline(time.Now().Add(30 * time.Second))
	if n, err := silent.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("who says nothing reads %d bytes: %v", n, err)
	}
	if took := time.Since(begun); took < silentTimeout || took > 4*time.Second {
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
