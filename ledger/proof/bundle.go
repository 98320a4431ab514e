package proof

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"
	"strings"

	"muster/events"
	"muster/events/problem"
)

// A bundle is one file that holds a ledger, or the records of one pledge, with what is needed to verify them without the
// server and without a network. FORMAT.md describes it. It is a sequence of blocks: a line of words, of which the last is a
// length, and so many bytes, which are text and end with a line feed.

const (
	bundleMagic  = "muster-bundle v1"
	maxRecord    = 1<<16 - 1 // bytes, as in C2SP tlog-tiles
	maxProof     = 1 << 13
	maxBundleRow = 1 << 10
)

// A BundleHead is what stands before the records of a bundle.
type BundleHead struct {
	// Pledge is the pledge that it is about; zero for the whole ledger.
	Pledge events.ID
	// Key is the checkpoint key that whoever made the bundle took for the ledger's; "" for none. It is only a claim.
	Key string
	// Checkpoint is the signed checkpoint, with all its signatures.
	Checkpoint []byte
}

// A bundleReader reads a bundle from its beginning to its end.
type bundleReader struct {
	r    *bufio.Reader
	head BundleHead
}

// A block is a line of words with what follows it.
type block struct {
	words []string // without the length
	data  []byte
}

// notBundle makes the problem of a file that is not what it should be.
func notBundle(format string, args ...any) *problem.Problem {
	return problem.New(problem.Unverified, "the bundle is damaged: "+format, args...)
}

// IsBundle reports whether a file begins as bundles do, of this version or another.
func IsBundle(begin []byte) bool { return strings.HasPrefix(string(begin), "muster-bundle ") }

func readBundle(r io.Reader) (*bundleReader, error) {
	b := &bundleReader{r: bufio.NewReaderSize(r, 1<<16)}
	words, err := b.row()
	if err != nil {
		return nil, err
	}
	switch first := strings.Join(words, " "); {
	case first == bundleMagic+" ledger":
	case len(words) == 4 && words[0]+" "+words[1]+" "+words[2] == bundleMagic+" pledge":
		if b.head.Pledge, err = events.ParseID(words[3]); err != nil {
			return nil, notBundle("its pledge: %w", err)
		}
	case len(words) > 1 && words[0] == "muster-bundle" && words[1] != "v1":
		return nil, problem.New(problem.Unavailable, "the bundle has the version %q, and this muster reads v1", words[1]).WithHint("use a newer muster")
	default:
		return nil, notBundle("it does not begin with %q", bundleMagic)
	}
	if words, err = b.row(); err == nil && len(words) == 2 && words[0] == "key" {
		b.head.Key = words[1]
		words, err = b.row()
	}
	if err != nil {
		return nil, err
	}
	k, err := b.rest(words, MaxCheckpoint)
	if err == nil && (len(k.words) != 1 || k.words[0] != "checkpoint") {
		err = notBundle("where its checkpoint should be, there is %q", strings.Join(words, " "))
	}
	if err == nil {
		if wrong := canonicalSignatures(k.data); wrong != nil {
			err = notBundle("%w", wrong)
		}
	}
	b.head.Checkpoint = k.data
	return b, err
}

// row reads a line of words.
func (b *bundleReader) row() ([]string, error) {
	line, err := b.r.ReadSlice('\n')
	switch {
	case errors.Is(err, io.EOF):
		return nil, notBundle("it ends in the middle (it has no line \"end\"): it was cut off")
	case errors.Is(err, bufio.ErrBufferFull) || len(line) > maxBundleRow:
		return nil, notBundle("where a line with a length should be, there is none")
	case err != nil:
		return nil, problem.New(problem.Unavailable, "reading the bundle: %w", err)
	}
	return strings.Split(string(line[:len(line)-1]), " "), nil
}

// rest reads what follows a line that ends with its length.
func (b *bundleReader) rest(words []string, most int) (block, error) {
	last := words[len(words)-1]
	n, err := strconv.Atoi(last)
	if err != nil || n < 1 || n > most || strconv.Itoa(n) != last {
		return block{}, notBundle("the line %.60q does not end with a length up to %d", strings.Join(words, " "), most)
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(b.r, data); err != nil {
		return block{}, notBundle("it ends in the middle: it was cut off")
	}
	if data[n-1] != '\n' {
		return block{}, notBundle("what follows %.60q does not end with a line feed", strings.Join(words, " "))
	}
	return block{words[:len(words)-1], data}, nil
}

// next reads the block with the given name that belongs to a sequence, or, where sequence is 0, to any. It returns io.EOF at
// the end, of which it checks that it is one: so many records, and nothing behind it.
func (b *bundleReader) next(name string, sequence, before uint64) (uint64, []byte, error) {
	words, err := b.row()
	if err != nil {
		return 0, nil, err
	}
	if sequence == 0 && words[0] == "end" {
		return 0, nil, b.end(words, before)
	}
	most := maxRecord
	if name == "proof" {
		most = maxProof
	}
	k, err := b.rest(words, most)
	if err != nil {
		return 0, nil, err
	}
	if len(k.words) != 2 || k.words[0] != name {
		return 0, nil, notBundle("where a %s should be, there is %.60q", name, strings.Join(words, " "))
	}
	got, err := strconv.ParseUint(k.words[1], 10, 63)
	if err != nil || got == 0 || sequence != 0 && got != sequence {
		return 0, nil, notBundle("%.60q has not the sequence that it should", strings.Join(words, " "))
	}
	return got, k.data, nil
}

func (b *bundleReader) end(words []string, records uint64) error {
	if len(words) != 2 || words[1] != strconv.FormatUint(records, 10) {
		return notBundle("it ends with %.60q, and has %d records", strings.Join(words, " "), records)
	}
	if _, err := b.r.ReadByte(); !errors.Is(err, io.EOF) {
		return notBundle("there is more after its end")
	}
	return io.EOF
}

// ReadBundleHead reads what stands before the records of the bundle in a file.
func ReadBundleHead(path string) (BundleHead, error) {
	file, err := os.Open(path)
	if err != nil {
		return BundleHead{}, problem.New(problem.NotFound, "the bundle: %w", err)
	}
	defer file.Close()
	b, err := readBundle(file)
	if err != nil {
		return BundleHead{}, err
	}
	return b.head, nil
}

// VerifyBundle verifies the bundle in a file: that of a whole ledger as [Verify] does, that of a pledge with its proofs. It
// needs nothing but the file. The key in the bundle is used, as the bundle's own claim, when the options have none.
func VerifyBundle(ctx context.Context, path string, o Options) (Report, error) {
	file, err := os.Open(path)
	if err != nil {
		return Report{}, problem.New(problem.NotFound, "the bundle: %w", err)
	}
	defer file.Close()
	name := "the bundle " + path
	b, err := readBundle(file)
	if problem.Is(err, problem.Unverified) {
		return failedReport(name, problem.From(err)), nil
	}
	if err != nil {
		return Report{}, err
	}
	if o.Key.Verifier == "" && b.head.Key != "" {
		o.Key = TrustedKey{Verifier: b.head.Key, Claimed: true, Why: "is the bundle's own claim"}
	}
	if !b.head.Pledge.IsZero() {
		return verifyPledge(name, b, o)
	}
	src := Source{Name: name, Entries: b.entries, Checkpoint: b.head.Checkpoint, MayBeOld: true}
	if c, err := readCheckpoint(b.head.Checkpoint); err == nil {
		src.Size = c.N
	}
	return Verify(ctx, src, o)
}

func failedReport(name string, p *problem.Problem) Report {
	f := &Fault{Check: "file", What: p.Detail}
	r := Report{Of: name, Fault: f}
	r.Add("file", Failed, "%s", f)
	return r
}

// entries yields the records of a whole ledger.
func (b *bundleReader) entries(context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for n := uint64(0); ; n++ {
			sequence, stored, err := b.next("record", 0, n)
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(Entry{Sequence: sequence, Stored: stored}, err) || err != nil {
				return
			}
		}
	}
}

// A bundleWriter writes a bundle.
type bundleWriter struct {
	w       *bufio.Writer
	records uint64
}

func writeBundle(w io.Writer, head BundleHead) *bundleWriter {
	b := &bundleWriter{w: bufio.NewWriterSize(w, 1<<16)}
	if head.Pledge.IsZero() {
		fmt.Fprintf(b.w, "%s ledger\n", bundleMagic)
	} else {
		fmt.Fprintf(b.w, "%s pledge %s\n", bundleMagic, head.Pledge)
	}
	if head.Key != "" {
		fmt.Fprintf(b.w, "key %s\n", head.Key)
	}
	fmt.Fprintf(b.w, "checkpoint %d\n%s", len(head.Checkpoint), head.Checkpoint)
	return b
}

func (b *bundleWriter) record(sequence uint64, stored []byte) {
	b.records++
	fmt.Fprintf(b.w, "record %d %d\n", sequence, len(stored))
	b.w.Write(stored)
}

func (b *bundleWriter) proof(sequence uint64, proof []byte) {
	fmt.Fprintf(b.w, "proof %d %d\n%s", sequence, len(proof), proof)
}

// end writes the last line. Its error is the first of all that was written.
func (b *bundleWriter) end() error {
	fmt.Fprintf(b.w, "end %d\n", b.records)
	return b.w.Flush()
}
