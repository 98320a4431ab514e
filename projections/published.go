package projections

import "sync/atomic"

// A published is what the readers of pictures see of one thing that grows with the records: a
// pledge, an operation, a line. The writer never changes what it has published: it publishes a
// copy that is changed. So readers need no lock, and nobody waits for them.
//
// A reader may meet what was published after its own picture was. That does not matter: what a
// thing has is kept with the records from which, and until which, it is known, and a question
// leaves out what its own last record does not know.
type published[T any] struct{ value atomic.Pointer[T] }

// now returns what was published last. It is not to be changed.
func (p *published[T]) now() *T { return p.value.Load() }

// publish shows readers v from now on.
func (p *published[T]) publish(v *T) { p.value.Store(v) }

// change returns what the writer may change and then publish: a copy where there are readers, and
// else the thing itself.
func (p *published[T]) change(watched bool) *T {
	v := p.value.Load()
	if !watched {
		return v
	}
	other := *v
	return &other
}
