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

	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
)

// A bundle is one file that holds a ledger, or the records of one pledge, with what is needed to
// verify them without the server and without a network. FORMAT.md describes it. It is a sequence of
// blocks: a line of words, of which the last is a length, and so many bytes, which are text and end
// with a line feed.

const (
	bundleMagic  = "muster-bundle v1"
	bundleMagic2 = "muster-bundle v2" // of those who may not read all
	maxRecord    = 1<<16 - 1          // bytes, as in C2SP tlog-tiles
	maxProof     = 1 << 13
	maxBundleRow = 1 << 10
)

// A BundleHead is what stands before the records of a bundle.
type BundleHead struct {
	// Pledge is the pledge that it is about; zero for the whole ledger.
	Pledge events.ID
	// View names those who may read what it holds; "" for all, which is a bundle of the first
	// version.
	View events.View
	// Key is the checkpoint key that whoever made the bundle took for the ledger's; "" for none. It
	// is only a claim.
	Key string
	// Checkpoint is the signed checkpoint, with all its signatures.
	Checkpoint []byte
}

// A bundleReader reads a bundle from its beginning to its end.
type bundleReader struct {
	r                 *bufio.Reader
	head              BundleHead
	records, withheld uint64 // of a whole ledger, so far
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
	ofView, err := b.first(words)
	if err != nil {
		return nil, err
	}
	if words, err = b.row(); err == nil && len(words) == 2 && words[0] == "key" {
		b.head.Key = words[1]
		words, err = b.row()
	}
	if err == nil && ofView {
		if err = b.view(words); err == nil {
			words, err = b.row()
		}
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

// first reads the words of the first line, and reports whether the bundle is of a view.
func (b *bundleReader) first(words []string) (ofView bool, err error) {
	switch magic := strings.Join(words[:min(2, len(words))], " "); {
	case magic == bundleMagic2:
		ofView = true
	case magic != bundleMagic && words[0] == "muster-bundle" && len(words) > 1:
		return false, problem.New(problem.Unavailable,
			"the bundle has the version %q, and this muster reads v1 and v2", words[1]).
			WithHint("use a newer muster")
	case magic != bundleMagic:
		return false, notBundle("it does not begin with %q", bundleMagic)
	}
	switch {
	case len(words) == 3 && words[2] == "ledger":
		return ofView, nil
	case len(words) != 4 || words[2] != "pledge":
		return false, notBundle("it does not say of what it is")
	}
	if b.head.Pledge, err = events.ParseID(words[3]); err != nil {
		return false, notBundle("its pledge: %w", err)
	}
	return ofView, nil
}

// view reads the line that names those who may read what the bundle holds.
func (b *bundleReader) view(words []string) error {
	if len(words) != 2 || words[0] != "view" {
		return notBundle("where its view should be, there is %.60q", strings.Join(words, " "))
	}
	v, ok := events.ParseView(words[1])
	if !ok || string(v) != words[1] || v == events.CoordinatorsView {
		return notBundle("%.60q is no view of those who may not read all", words[1])
	}
	b.head.View = v
	return nil
}

// labelWithheld is what is told of the label of a record that is withheld from a view: the widest
// that it can have. Which it has, and for which nations, would tell of what it is.
func labelWithheld(v events.View) string {
	if v == events.PublicView {
		return string(events.CoalitionOnly)
	}
	return string(events.CoordinatorsOnly)
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
		return block{}, notBundle("the line %.60q does not end with a length up to %d",
			strings.Join(words, " "), most)
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(b.r, data); err != nil {
		return block{}, notBundle("it ends in the middle: it was cut off")
	}
	if data[n-1] != '\n' {
		return block{}, notBundle("what follows %.60q does not end with a line feed",
			strings.Join(words, " "))
	}
	return block{words[:len(words)-1], data}, nil
}

// next reads the block with the given name that belongs to a sequence, or, where sequence is 0, to
// any. It returns io.EOF at the end, of which it checks that it is one: so many records, and
// nothing behind it.
func (b *bundleReader) next(name string, sequence, before uint64) (uint64, []byte, error) {
	words, err := b.row()
	if err != nil {
		return 0, nil, err
	}
	if sequence == 0 && words[0] == "end" {
		return 0, nil, b.end(words, before)
	}
	return b.block(words, name, sequence)
}

// block reads what follows the words of a line with a name and a sequence, 0 for any.
func (b *bundleReader) block(words []string, name string, sequence uint64) (uint64, []byte, error) {
	most := maxRecord
	if name == "proof" {
		most = maxProof
	}
	k, err := b.rest(words, most)
	if err != nil {
		return 0, nil, err
	}
	if len(k.words) != 2 || k.words[0] != name {
		return 0, nil, notBundle("where a %s should be, there is %.60q", name,
			strings.Join(words, " "))
	}
	got, err := strconv.ParseUint(k.words[1], 10, 63)
	if err != nil || got == 0 || sequence != 0 && got != sequence {
		return 0, nil, notBundle("%.60q has not the sequence that it should",
			strings.Join(words, " "))
	}
	return got, k.data, nil
}

func (b *bundleReader) end(words []string, records uint64) error {
	if len(words) != 2 || words[1] != strconv.FormatUint(records, 10) {
		return notBundle("it ends with %.60q, and has %d records",
			strings.Join(words, " "), records)
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

// VerifyBundle verifies the bundle in a file: that of a whole ledger as [Verify] does, that of a
// pledge with its proofs. It needs nothing but the file. The key in the bundle is used, as the
// bundle's own claim, when the options have none.
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
	src := sourceOf(name, b.head)
	src.Entries = b.entries
	return Verify(ctx, src, o)
}

// OfBundle makes a Source of the bundle of a whole ledger in a file, of which nothing is verified
// yet. Its entries may be read as often as anybody likes.
func OfBundle(path string) (Source, error) {
	head, err := ReadBundleHead(path)
	if err != nil {
		return Source{}, err
	}
	if !head.Pledge.IsZero() {
		return Source{}, problem.New(problem.Usage,
			"%s holds the records of one pledge, and not of a ledger",
			path).WithHint("make a bundle of the ledger with: muster export bundle FILE")
	}
	src := sourceOf("the bundle "+path, head)
	src.Entries = func(ctx context.Context) iter.Seq2[Entry, error] {
		return func(yield func(Entry, error) bool) {
			file, err := os.Open(path)
			if err != nil {
				yield(Entry{}, problem.New(problem.NotFound, "the bundle: %w", err))
				return
			}
			defer file.Close()
			b, err := readBundle(file)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			b.entries(ctx)(yield)
		}
	}
	return src, nil
}

// sourceOf makes a Source of what stands before the records of a bundle.
func sourceOf(name string, head BundleHead) Source {
	src := Source{Name: name, Checkpoint: head.Checkpoint, MayBeOld: true, View: head.View}
	if c, err := readCheckpoint(head.Checkpoint); err == nil {
		src.Size = c.N
	}
	return src
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
		for {
			e, err := b.entry()
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// entry reads a record of a whole ledger, or the line of one that is withheld.
func (b *bundleReader) entry() (Entry, error) {
	words, err := b.row()
	switch {
	case err != nil:
		return Entry{}, err
	case words[0] == "end":
		return Entry{}, b.endOfLedger(words)
	case words[0] == "withheld" && b.head.View != "":
		b.withheld++
		return b.readWithheld(words)
	}
	b.records++
	sequence, stored, err := b.block(words, "record", 0)
	return Entry{Sequence: sequence, Stored: stored}, err
}

// readWithheld reads the words of a line of a record that is withheld.
func (b *bundleReader) readWithheld(words []string) (e Entry, err error) {
	line := strings.Join(words, " ")
	if len(words) == 4 {
		if e.Sequence, err = strconv.ParseUint(words[1], 10, 63); err == nil {
			e.Leaf, err = tlog.ParseHash(words[2])
		}
	}
	if err != nil || line != withheldLine(e.Sequence, e.Leaf, b.head.View) || e.Sequence == 0 {
		return Entry{}, notBundle("%.100q is no line of a record that is withheld in the view %s",
			line,
			b.head.View)
	}
	return e, nil
}

func withheldLine(sequence uint64, leaf tlog.Hash, v events.View) string {
	return fmt.Sprintf("withheld %d %s %s", sequence, leaf, labelWithheld(v))
}

// endOfLedger checks the last line of the bundle of a ledger. One of a view is written only where
// something is withheld.
func (b *bundleReader) endOfLedger(words []string) error {
	if b.head.View == "" {
		return b.end(words, b.records)
	}
	if b.withheld == 0 {
		return notBundle("it is of the view %s, and withholds nothing", b.head.View)
	}
	if len(words) != 3 || words[2] != strconv.FormatUint(b.withheld, 10) {
		return notBundle("it ends with %.60q, and withholds %d records",
			strings.Join(words, " "), b.withheld)
	}
	return b.end(words[:2], b.records)
}

// A bundleWriter writes a bundle.
type bundleWriter struct {
	w                 *bufio.Writer
	head              BundleHead
	records, withheld uint64
}

func writeBundle(w io.Writer, head BundleHead) *bundleWriter {
	b := &bundleWriter{w: bufio.NewWriterSize(w, 1<<16), head: head}
	magic := bundleMagic
	if head.View != "" {
		magic = bundleMagic2
	}
	if head.Pledge.IsZero() {
		fmt.Fprintf(b.w, "%s ledger\n", magic)
	} else {
		fmt.Fprintf(b.w, "%s pledge %s\n", magic, head.Pledge)
	}
	if head.Key != "" {
		fmt.Fprintf(b.w, "key %s\n", head.Key)
	}
	if head.View != "" {
		fmt.Fprintf(b.w, "view %s\n", head.View)
	}
	fmt.Fprintf(b.w, "checkpoint %d\n%s", len(head.Checkpoint), head.Checkpoint)
	return b
}

func (b *bundleWriter) record(sequence uint64, stored []byte) {
	b.records++
	fmt.Fprintf(b.w, "record %d %d\n", sequence, len(stored))
	b.w.Write(stored)
}

// entry writes a record, or the line of one that is withheld.
func (b *bundleWriter) entry(e Entry) {
	if e.Stored != nil {
		b.record(e.Sequence, e.Stored)
		return
	}
	b.withheld++
	fmt.Fprintf(b.w, "%s\n", withheldLine(e.Sequence, e.Leaf, b.head.View))
}

func (b *bundleWriter) proof(sequence uint64, proof []byte) {
	fmt.Fprintf(b.w, "proof %d %d\n%s", sequence, len(proof), proof)
}

// end writes the last line. Its error is the first of all that was written.
func (b *bundleWriter) end() error {
	fmt.Fprintf(b.w, "end %d", b.records)
	if b.withheld > 0 {
		fmt.Fprintf(b.w, " %d", b.withheld)
	}
	fmt.Fprint(b.w, "\n")
	return b.w.Flush()
}
