package web

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Answers that were given lately are kept, so that what many ask while nothing changes is made once. An entity tag names an answer: another
// record, another day or another address is another tag, and nothing that is kept can be out of date.

// maxKeptAnswer is the longest answer that is kept, in bytes; and maxKept and maxKeptAnswers how much is
// kept at all, in bytes and in answers. Those go first that nobody has asked for longest.
const (
	maxKeptAnswer  = 4 << 20
	maxKept        = 32 << 20
	maxKeptAnswers = 1 << 16
)

// A keptAnswer is one as it was written.
type keptAnswer struct {
	head http.Header // of it, what tellsOfBody names
	body []byte
}

// tellsOfBody are the headers that belong to an answer, and not to the request that it was made for.
var tellsOfBody = []string{"Content-Type", "Content-Disposition", "Link"}

type answers struct {
	mu   sync.Mutex
	kept *simplelru.LRU[string, keptAnswer] // by tag
	size int                                // of their bodies, in bytes
}

func newAnswers() *answers {
	a := &answers{}
	kept, err := simplelru.NewLRU(maxKeptAnswers,
		func(_ string, gone keptAnswer) { a.size -= len(gone.body) })
	if err != nil {
		panic(err) // it refuses to keep none
	}
	a.kept = kept
	return a
}

// write writes the answer of a tag, and reports whether it was kept.
func (a *answers) write(w http.ResponseWriter, tag string) bool {
	a.mu.Lock()
	found, ok := a.kept.Get(tag)
	a.mu.Unlock()
	if !ok {
		return false
	}
	maps.Copy(w.Header(), found.head)
	_, _ = w.Write(found.body)
	return true
}

// keep keeps an answer.
func (a *answers) keep(tag string, head http.Header, body []byte) {
	one := keptAnswer{http.Header{}, bytes.Clone(body)} // with no room to grow
	for _, name := range tellsOfBody {
		if said := head.Values(name); len(said) > 0 {
			one.head[name] = slices.Clone(said)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.kept.Contains(tag) {
		return
	}
	a.size += len(body)
	a.kept.Add(tag, one)
	for a.size > maxKept {
		a.kept.RemoveOldest()
	}
}
