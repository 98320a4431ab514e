package web

import (
	"maps"
	"net/http"
	"slices"
	"sync"
)

// Answers that were given lately are kept, so that what many ask while nothing changes is made once. An entity tag names an answer: another
// record, another day or another address is another tag, and nothing that is kept can be out of date.

// maxKeptAnswer is the longest answer that is kept, and maxKept how much is kept at all, in bytes.
const (
	maxKeptAnswer = 4 << 20
	maxKept       = 64 << 20
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
	kept map[string]keptAnswer // by tag
	size int
}

// write writes the answer of a tag, and reports whether it was kept.
func (a *answers) write(w http.ResponseWriter, tag string) bool {
	a.mu.Lock()
	found, ok := a.kept[tag]
	a.mu.Unlock()
	if !ok {
		return false
	}
	maps.Copy(w.Header(), found.head)
	_, _ = w.Write(found.body)
	return true
}

// keep keeps an answer. When there are too many, all others go: those that are still asked for come back.
func (a *answers) keep(tag string, head http.Header, body []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.kept[tag]; ok {
		return
	}
	if a.kept == nil || a.size+len(body) > maxKept {
		a.kept, a.size = map[string]keptAnswer{}, 0
	}
	one := keptAnswer{http.Header{}, body}
	for _, name := range tellsOfBody {
		if said := head.Values(name); len(said) > 0 {
			one.head[name] = slices.Clone(said)
		}
	}
	a.kept[tag] = one
	a.size += len(body)
}
