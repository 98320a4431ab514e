package filestore

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// The files of a stream's folder.
const (
	metaFile    = "meta.inf"
	metaSumFile = "meta.sum"
	// IndexFile is where index.db lies in the stream's folder. A NATS server makes it anew where it
	// is missing.
	IndexFile = "msgs/index.db"
)

// metaMost bounds what is read of the configuration.
const metaMost = 1 << 20

// checkMeta says what is wrong with the configuration.
func (s Store) checkMeta() error {
	if err := notPurged(s.Dir); err != nil {
		return err
	}
	meta, err := readMeta(filepath.Join(s.Dir, metaFile))
	if err != nil {
		return fmt.Errorf("%s: %w", metaFile, err)
	}
	sum, err := readMeta(filepath.Join(s.Dir, metaSumFile))
	if err != nil {
		return fmt.Errorf("%s: %w", metaSumFile, err)
	}
	h := newHash(s.Stream)
	h.Write(meta)
	if hex.EncodeToString(h.Sum(nil)) != string(sum) {
		return fmt.Errorf("%s has not the checksum that %s has", metaFile, metaSumFile)
	}
	var config struct{ Name string }
	if err := json.Unmarshal(meta, &config); err != nil {
		return fmt.Errorf("%s: %w", metaFile, err)
	}
	if config.Name != s.Stream {
		return fmt.Errorf("%s is of a stream %.40q", metaFile, config.Name)
	}
	return nil
}

// notPurged refuses folders that a purge leaves that broke off: a NATS server puts them in the
// place of the messages.
func notPurged(dir string) error {
	for _, name := range []string{"__msgs__", "__new_msgs__"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return fmt.Errorf("%s: messages were being purged", name)
		}
	}
	return nil
}

func readMeta(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("it is no file")
	case info.Size() > metaMost:
		return nil, fmt.Errorf("it has %d bytes", info.Size())
	}
	return os.ReadFile(path)
}

const (
	indexMagic   = 11
	indexVersion = 4 // the last that is known
)

// checkIndex notes why index.db misleads: it is damaged, or knows other messages than the blocks
// have, of which it may know fewer.
func (r *reader) checkIndex() {
	state, err := readIndex(filepath.Join(r.store.Dir, filepath.FromSlash(IndexFile)),
		r.store.Stream)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if errors.Is(err, fs.ErrPermission) {
		r.forbidden = err
	}
	r.state.Indexed = state.last
	switch {
	case err != nil:
		r.state.Index = fmt.Errorf("%s: %w", IndexFile, err)
	case state.messages != state.last || state.messages > 0 && state.first != 1:
		r.state.Index = fmt.Errorf("%s knows %d messages, from %d to %d", IndexFile, state.messages,
			state.first, state.last)
	case state.last > r.state.Last && r.state.Damage == nil:
		r.state.Index = fmt.Errorf("%s knows %d messages, and the blocks have %d", IndexFile,
			state.last, r.state.Last)
	}
}

// An indexed is what index.db says of all messages.
type indexed struct{ messages, first, last uint64 }

func readIndex(path, stream string) (i indexed, err error) {
	f, err := os.Open(path)
	if err != nil {
		return i, err
	}
	defer f.Close()
	head := make([]byte, 2+6*binary.MaxVarintLen64)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return i, err
	}
	if err := checkSum(f, stream); err != nil {
		return i, err
	}
	if head[0] != indexMagic || head[1] > indexVersion {
		return i, fmt.Errorf("its form is %d, %d, which is not known", head[0], head[1])
	}
	rest := head[2:n]
	next := func() (number uint64) {
		number, size := binary.Uvarint(rest)
		if size <= 0 {
			err = errors.New("it ends too early")
			return 0
		}
		rest = rest[size:]
		return number
	}
	err = nil
	i.messages = next()
	next() // bytes
	i.first = next()
	next() // the time of the first, of which only the length matters
	i.last = next()
	return i, err
}

// checkSum holds a file against the checksum at its end. It may be long: it has each subject.
func checkSum(f *os.File, stream string) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	size := info.Size() - hashSize
	if size < 2 {
		return fmt.Errorf("it has %d bytes", info.Size())
	}
	h := newHash(stream)
	if _, err := io.Copy(h, io.NewSectionReader(f, 0, size)); err != nil {
		return err
	}
	var sum [hashSize]byte
	if _, err := f.ReadAt(sum[:], size); err != nil {
		return err
	}
	if !bytes.Equal(h.Sum(nil), sum[:]) {
		return errors.New("its checksum is wrong")
	}
	return nil
}
