// Package control is the way from a command on a machine to the server that runs there on a data
// folder: a Unix socket in that folder, which only the folder's owner may connect to. So who asks
// over it may have all that the folder holds, and needs no key for it; and nothing of it can be
// reached over a network.
package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// File is the socket's name in the data folder.
const File = "control.sock"

// making is the folder in which the socket is made, so that nobody else reaches it before it has
// its rights.
const making = ".control"

// Listen makes the socket in a data folder, in the place of one that a crash has left. The caller
// is the only one who runs a server there. Close takes the socket away.
func Listen(dir string) (net.Listener, error) {
	inside, path := filepath.Join(dir, making), filepath.Join(dir, File)
	if err := errors.Join(os.RemoveAll(inside), os.Mkdir(inside, 0o700)); err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(inside) }() // the next start does it, too
	var l *net.UnixListener
	err := near(inside, func(dir string) (err error) {
		name := net.UnixAddr{Name: filepath.Join(dir, File), Net: "unix"}
		l, err = net.ListenUnix("unix", &name)
		return err
	})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false) // by then it has another name
	made := filepath.Join(inside, File)
	if err := os.Chmod(made, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	if err := os.Rename(made, path); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return listener{l, path}, nil
}

type listener struct {
	*net.UnixListener
	path string
}

// Close implements net.Listener. To close it again does nothing.
func (l listener) Close() error {
	err := l.UnixListener.Close()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	if gone := os.Remove(l.path); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// URL begins the addresses of what is asked over the socket; the host is nobody's.
const URL = "http://server"

// answering is how long a server may take to begin its answer: one that hangs gives none.
const answering = 15 * time.Second

// Client returns what asks the server on a data folder. Where none listens, requests fail with what
// [NobodyListens] knows.
func Client(dir string) *http.Client {
	dial := func(ctx context.Context, _, _ string) (conn net.Conn, err error) {
		err = near(dir, func(dir string) (err error) {
			conn, err = new(net.Dialer).DialContext(ctx, "unix", filepath.Join(dir, File))
			return err
		})
		return conn, err
	}
	return &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true,
		ResponseHeaderTimeout: answering}}
}

// NobodyListens reports whether a request has failed because no server listens in the folder: there
// is no socket, or one whose server was killed.
func NobodyListens(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)
}

// longest is how many bytes the path of a socket may have, on the system where they are fewest.
const longest = 100

// near calls do with a path to a folder that is short enough for a socket in it. Linux has one for
// each folder that is open.
func near(dir string, do func(path string) error) error {
	if len(filepath.Join(dir, File)) <= longest {
		return do(dir)
	}
	if runtime.GOOS != "linux" {
		return fmt.Errorf("the path %s is too long for a socket in it", dir)
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return do(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
}
