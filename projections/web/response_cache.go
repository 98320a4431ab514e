package web

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Answers that were given lately are kept, so that what many ask while nothing changes is made
// once. An entity tag names an answer: another record, another day or another address is another
// tag, and nothing that is kept can be out of date.

// maxCachedResponse is the longest answer that is kept, in bytes; and maxCachedBytes and
// maxCachedResponses how much is kept at all, in bytes and in answers. Those go first that nobody
// has asked for longest.
const (
	maxCachedResponse  = 4 << 20
	maxCachedBytes     = 32 << 20
	maxCachedResponses = 1 << 16
)

// A cachedResponse is one as it was written.
type cachedResponse struct {
	head http.Header // of it, what tellsOfBody names
	body []byte
}

// tellsOfBody are the headers that belong to an answer, and not to the request that it was made
// for.
var tellsOfBody = []string{"Content-Type", "Content-Disposition", "Link"}

type responseCache struct {
	mu   sync.Mutex
	kept *simplelru.LRU[string, cachedResponse] // by tag
	size int                                    // of their bodies, in bytes
}

func newResponseCache() *responseCache {
	c := &responseCache{}
	kept, err := simplelru.NewLRU(maxCachedResponses,
		func(_ string, gone cachedResponse) { c.size -= len(gone.body) })
	if err != nil {
		panic(err) // it refuses to keep none
	}
	c.kept = kept
	return c
}

// write writes the answer of a tag, and reports whether it was kept.
func (c *responseCache) write(w http.ResponseWriter, tag string) bool {
	c.mu.Lock()
	found, ok := c.kept.Get(tag)
	c.mu.Unlock()
	if !ok {
		return false
	}
	maps.Copy(w.Header(), found.head)
	_, _ = w.Write(found.body)
	return true
}

// keep keeps an answer.
func (c *responseCache) keep(tag string, head http.Header, body []byte) {
	one := cachedResponse{http.Header{}, bytes.Clone(body)} // with no room to grow
	for _, name := range tellsOfBody {
		if said := head.Values(name); len(said) > 0 {
			one.head[name] = slices.Clone(said)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept.Contains(tag) {
		return
	}
	c.size += len(body)
	c.kept.Add(tag, one)
	for c.size > maxCachedBytes {
		c.kept.RemoveOldest()
	}
}
