package server

import (
	"archive/tar"
	"errors"
	"log"
	"net/http"
	"strconv"
	"time"

	"muster/cmd/internal/control"
	"muster/events/problem/wire"
)

// What a server answers over the socket in its folder (package control).
const (
	// BackupPath answers with a tar of the parts of a [journal.Snapshot], which break off where
	// something goes wrong; RecordsHeader and RootHeader say what the tree over it must be.
	BackupPath    = "/backup"
	RecordsHeader = "Muster-Records"
	RootHeader    = "Muster-Root"
)

// readingTime is how long who asks for a backup may take for a piece of it: meanwhile the journal
// keeps its pages.
const readingTime = 30 * time.Second

// openControl answers the commands of the folder's owner from here on: who looks after a server
// needs that most while its start takes long.
func (s *Server) openControl() error {
	l, err := control.Listen(s.cfg.Dir)
	if err != nil { // not every file system has sockets
		s.cfg.Log.Warn("commands on this machine cannot ask for a backup while this server runs",
			"error", err)
		return nil
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+BackupPath, s.answerBackup)
	mux.HandleFunc("GET "+StatePath, s.answerState)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: readingTime,
		ErrorLog: log.New(lineLog{s.cfg.Log}, "", 0)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.cfg.Log.Warn("commands on this machine are not answered any more", "error", err)
		}
	}()
	s.onClose(func() error {
		err := errors.Join(srv.Close(), l.Close())
		<-done
		return err
	})
	return nil
}

func (s *Server) answerBackup(w http.ResponseWriter, _ *http.Request) {
	snapshot, err := s.Journal.Snapshot()
	if err != nil {
		wire.HTTP(w, err)
		return
	}
	defer func() { _ = snapshot.Close() }() // it was only read
	w.Header().Set("Content-Type", "application/x-tar")
	w.Header().Set(RecordsHeader, strconv.FormatInt(snapshot.Tree.N, 10))
	w.Header().Set(RootHeader, snapshot.Tree.Hash.String())
	out := tar.NewWriter(timelyWriter{w, http.NewResponseController(w)})
	for _, part := range snapshot.Parts() {
		head := &tar.Header{Name: part.Name, Size: part.Size, Mode: 0o600}
		if err = errors.Join(err, out.WriteHeader(head)); err == nil {
			err = part.Write(out)
		}
	}
	if err = errors.Join(err, out.Close()); err != nil {
		s.cfg.Log.Warn("a backup broke off", "error", err)
		panic(http.ErrAbortHandler) // so that the other side does not take it for whole
	}
}

// A timelyWriter gives each piece that it writes its own time.
type timelyWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

// Write implements io.Writer.
func (w timelyWriter) Write(data []byte) (int, error) {
	if err := w.control.SetWriteDeadline(time.Now().Add(readingTime)); err != nil {
		return 0, err
	}
	return w.ResponseWriter.Write(data)
}
