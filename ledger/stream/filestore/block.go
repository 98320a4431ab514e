package filestore

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"

	"github.com/minio/highwayhash"
)

const (
	headSize  = 4 + 8 + 8 + 2
	hashSize  = highwayhash.Size64
	headerBit = uint32(1) << 31
	// messageMost is how many bytes a message may have: nats-server takes payloads of 64 MiB at
	// most, and holds what is longer than 32 MiB in a block for damage.
	messageMost = 32 << 20
	// odd is the least of the sequences with a mark in their highest bits: such are of messages
	// that were deleted.
	odd = uint64(1) << 62
)

// newHash returns the checksum that is keyed with a name.
func newHash(name string) hash.Hash {
	key := sha256.Sum256([]byte(name))
	h, err := highwayhash.New64(key[:])
	if err != nil { // of a key that has not 32 bytes
		panic(err)
	}
	return h
}

// parse reads the message at the beginning of data, and returns how many bytes it has.
func parse(data []byte, sum hash.Hash) (m Message, size int, err error) {
	if len(data) < headSize+hashSize {
		return m, 0, fmt.Errorf("only %d bytes are left", len(data))
	}
	le := binary.LittleEndian
	length := le.Uint32(data)
	size = int(length &^ headerBit)
	subject := int(le.Uint16(data[20:]))
	switch {
	case size > messageMost || size < headSize+subject+hashSize:
		return m, 0, fmt.Errorf("its length of %d bytes cannot be", size)
	case size > len(data):
		return m, 0, fmt.Errorf("it has %d bytes, and %d are left", size, len(data))
	}
	rest := data[headSize : size-hashSize]
	m.Subject, m.Data = string(rest[:subject]), rest[subject:]
	sum.Reset()
	sum.Write(data[4:20])
	sum.Write(rest[:subject])
	if length&headerBit != 0 {
		header := uint64(0)
		if len(m.Data) >= 4 {
			header = uint64(le.Uint32(m.Data))
		}
		if uint64(len(m.Data)) < 4+header {
			return m, 0, fmt.Errorf("its header of %d bytes cannot be", header)
		}
		m.Data = m.Data[4:]
		sum.Write(m.Data)
		m.Data = m.Data[header:]
	} else {
		sum.Write(m.Data)
	}
	var made [hashSize]byte
	if !bytes.Equal(sum.Sum(made[:0]), data[size-hashSize:size]) {
		return m, 0, errors.New("its checksum is wrong")
	}
	m.Sequence = le.Uint64(data[4:])
	return m, size, nil
}

// find returns where the next whole message begins from a place on, or the end of data. It is
// looked for by the prefix of its subject.
func find(data []byte, from int, prefix string, sum hash.Hash) int {
	for from+headSize < len(data) {
		next := bytes.Index(data[from+headSize:], []byte(prefix))
		if next < 0 {
			break
		}
		from += next
		if _, _, err := parse(data[from:], sum); err == nil {
			return from
		}
		from++
	}
	return len(data)
}
