package session

import (
	"math"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"muster/events/problem"
)

// How many guesses a client has: so many at once, and then one in each such time. A person who has
// taken the wrong key file, or whose session has ended in several windows, does not notice.
const (
	guesses    = 10
	guessAgain = 2 * time.Second
	// Of whom the guesses are remembered; the one that guessed least lately is forgotten.
	maxClients = 4096
)

// How many all have together where nothing tells clients apart: so many that those do not notice
// who come back to a server that has begun anew.
const (
	guessesOfAll    = 1000
	guessAgainOfAll = 100 * time.Millisecond
)

// Guesses slow those who try out notes and tokens, and nobody else. All methods may be called
// concurrently.
type Guesses struct {
	clients *lru.Cache[string, *rate.Limiter]
	most    int
	again   time.Duration
}

// NewGuesses returns what has counted none yet, of clients that can be told apart.
func NewGuesses() *Guesses { return newGuesses(guesses, guessAgain) }

// NewGuessesOfAll returns what has counted none yet, of one client that stands for many.
func NewGuessesOfAll() *Guesses { return newGuesses(guessesOfAll, guessAgainOfAll) }

func newGuesses(most int, again time.Duration) *Guesses {
	clients, err := lru.New[string, *rate.Limiter](maxClients)
	if err != nil {
		panic(err) // the size is a positive constant
	}
	return &Guesses{clients, most, again}
}

// Wrong counts a guess of a client's.
func (g *Guesses) Wrong(client string, now time.Time) {
	limiter := rate.NewLimiter(rate.Every(g.again), g.most)
	if before, ok, _ := g.clients.PeekOrAdd(client, limiter); ok {
		limiter = before
		g.clients.Get(client) // it guessed lately
	}
	limiter.AllowN(now, 1)
}

// Check returns the problem that a client has guessed too often, which says when it may again.
func (g *Guesses) Check(client string, now time.Time) error {
	limiter, ok := g.clients.Peek(client)
	if !ok {
		return nil
	}
	left := limiter.TokensAt(now)
	if left >= 1 {
		return nil
	}
	wait := time.Duration(math.Ceil((1-left)*g.again.Seconds())) * time.Second
	return problem.New(problem.Busy,
		"this client has tried too many notes or tokens that are wrong").
		WithHint("try again in %s", max(wait, time.Second))
}
