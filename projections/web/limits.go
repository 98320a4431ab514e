package web

import (
	"runtime/debug"
	"sync/atomic"
	"time"

	"muster/projections"
	"muster/projections/access"
)

// The limits: all that whoever reaches the server may ask of it at most. What is refused because
// of one of them says so, with the remedy; [Bites] counts it.

// What one request may say.
const (
	// MaxAddress is the most bytes of an address behind the host. A page repeats its address in
	// each of its links; with every nation and a dozen conditions supposed away it has half as
	// many.
	MaxAddress = 4 << 10
	// MaxHeader is the most bytes of a request's line and headers together. Browsers send some
	// hundred, and what other programs on the same host have left as cookies.
	MaxHeader = 32 << 10
	// MaxBody is the most bytes of a question that is posted: as many as a message over NATS has,
	// unless that was set otherwise. Several hundred statements to preview have room in it.
	MaxBody = 1 << 20
	// shortBody is the most bytes of a body that is read whatever else is. A statement has half as
	// many.
	shortBody = 64 << 10
	// MaxList is the most entries of a list with commas, each counted once: a list of nations
	// cannot use more, there are not so many in the world.
	MaxList = 300
)

// How long a request may take.
const (
	// MaxBodyTime is how long a client may take to send a body.
	MaxBodyTime = 10 * time.Second
	// MaxHeaderTime is how long a client may take to send the headers.
	MaxHeaderTime = 10 * time.Second
	// MaxIdle is how long a connection stays open on which nothing is asked.
	MaxIdle = 2 * time.Minute
	// MaxWriting is how long an answer that is ready at once may take to be read: pages' files,
	// tiles.
	MaxWriting = time.Minute
	// slowest is how long a client may take to begin to read, and leastSpeed how many bytes a
	// second it must read from then on. Who reads slower holds a slot that others wait for.
	slowest    = 30 * time.Second
	leastSpeed = 32 << 10
	// maxSlotWait is how long a question waits for a slot before it is refused.
	maxSlotWait = 10 * time.Second
	// graceful is how long questions under way may go on when the server stops.
	graceful = 2 * time.Second
)

// How much is done at a time, in all and for one client: see [Slots].
const (
	// Questions take tens of milliseconds and some megabytes each. Their number bounds the memory.
	questionSlots, questionShare = 8, 4
	// Long questions, which look at many moments or at all there is, have slots of their own, so
	// that short ones never wait for them.
	longSlots, longShare = 2, 1
	// A whole list as a workbook or as Parquet is kept until it is made, some ten megabytes of it
	// in memory, and more of a long one.
	fileSlots, fileShare = 4, 1
	// A wait for a record costs a connection.
	waitSlots, waitShare = 128, 32
	// MaxStreams is the most clients that are told live at a time, and streamShare how many of them
	// may be one: a browser opens one for each page, and an office may have one address.
	MaxStreams, streamShare = 128, 32
	// Statements wait for the disk, not for each other: many at a time are recorded at once. A
	// batch of them takes as many slots as it has statements.
	statementSlots, statementShare = 512, 256
	// Bodies are read before there is a slot for what they ask. Their number bounds the memory, of
	// those that are longer than shortBody.
	bodySlots, bodyShare = 32, 4
	// messageSlots bound the questions over NATS that are worked on or wait for a slot. Whoever
	// asks over NATS says who he is himself: so all of them together have one client's share of the
	// slots above.
	messageSlots, messageShare = 64, 32
	// maxPending and maxPendingBytes bound what waits in the client for each question over NATS.
	maxPending, maxPendingBytes = 1024, 8 << 20
	// maxQueue is how many requests of one client may wait for its share of slots.
	maxQueue = 64
	// turnTime is how long a question calculates while others wait for a turn, and turnPatience how
	// long one waits before it goes on without: see [turns].
	turnTime     = 5 * time.Millisecond
	turnPatience = 300 * time.Millisecond
)

// How long one question may be worked on.
const (
	questionTime = 15 * time.Second
	longTime     = time.Minute
	// statementTime is longer than a server works on a statement.
	statementTime = 40 * time.Second
	// listTime is for a list that is as long as the ledger, written as its client reads it.
	listTime = time.Hour
	// fileTime is for such a list as a file that is kept until it is made.
	fileTime = 10 * time.Minute
	// rebuildTime is for all records there are, folded anew: millions take seconds.
	rebuildTime = 10 * time.Minute
)

// budget is what one question may cost, and longBudget a long one. A million rows take from 10
// milliseconds to some tenths of a second. An answer about 100,000 pledges takes some 100 MB, and
// all that are made at a time of all services of the process take no more than the pool.
var (
	pool       = &projections.Pool{Most: 192 << 20}
	budget     = projections.Budget{Rows: 30_000_000, Bytes: 128 << 20, Pool: pool}
	longBudget = projections.Budget{Rows: 200_000_000, Bytes: 128 << 20, Pool: pool}
)

// ViewLimits are those of the pictures of single nations. A record takes about a kilobyte of each:
// they take a fourth of the memory that the process may have (GOMEMLIMIT), and 200 MB at most.
func ViewLimits() access.Limits {
	const each = 1 << 10
	return access.Limits{Nations: 8, Records: min(200_000, uint64(debug.SetMemoryLimit(-1))/4/each)}
}

// MaxPageBody is the most bytes of a page for the browser. The longest table of pledges has a
// fourth.
const MaxPageBody = 8 << 20

// Bites counts how often a limit has held, since the server started. It may be read at any time.
type Bites struct {
	Address  atomic.Uint64 // an address, or a request over NATS, was too long
	Share    atomic.Uint64 // a client had all of its share
	Slots    atomic.Uint64 // all slots were taken
	Time     atomic.Uint64 // a question took too long
	Budget   atomic.Uint64 // an answer became too long, or would have taken too much work
	Panicked atomic.Uint64 // a request ended in a panic
}
