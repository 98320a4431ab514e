// Package witness is a witness of C2SP tlog-witness: it signs the checkpoints of ledgers that it
// has seen grow, and no others, so that a server which shows one history to some and another to
// others is found out by whoever asks for the witness's cosignature.
//
// A witness reads no record and trusts nobody. For each ledger it keeps the last checkpoint that it
// has signed, as a whole, and before it signs another one it has the proof that this goes on from
// that. The road of a request, each step of which refuses with its own HTTP status:
//
//	body        400  "old N", at most 63 hashes, an empty line, a checkpoint
//	origin      404  a ledger that it was not told of
//	signature   403  of none of the ledger's keys
//	old > size  400
//	old         409  not the size that it holds, which it answers with (text/x.tlog.size)
//	records     503  where it reads them ([Config]): it has not all of them yet
//	            422  they are of another history: the two checkpoints are kept for good
//	root        409  of the same size, it holds another: the proof of two histories, kept for good
//	proof       422  the tree does not go on from the one that it holds
//	            200  kept on the disk, and then signed
package witness

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"filippo.io/torchwood"
	"go.etcd.io/bbolt"
	bberrors "go.etcd.io/bbolt/errors"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events/problem"
	"muster/ledger/proof"
)

// Config says how a witness is to be.
type Config struct {
	// Secret is its key, in the form of C2SP signed-note, as [NewKey] makes it. The key's name is
	// the name of the witness.
	Secret string
	// Logs are the checkpoint keys of the ledgers that it is a witness of. Servers that share a
	// ledger have a key each, of the same name.
	Logs []string
	// Dir is the folder where it keeps what it has signed: it must be there. The file is
	// witness.db, which one process at a time can open.
	Dir string
	// Log is told of what is refused, and loudly of two histories.
	Log *slog.Logger
	// Holds makes sure that the records of a checkpoint, which a key of its ledger has signed, are
	// known and right; nil for a witness that reads no record. It may wait for them until the
	// context ends. The error is a *[proof.OtherHistory] where the records are those of another
	// history, and what it says is told to who has asked.
	Holds func(context.Context, proof.Checkpoint) error
}

// A Witness answers POST /add-checkpoint, and GET /HASH/checkpoint with the last checkpoint that it
// has signed of a ledger, where HASH is the SHA-256 of the ledger's origin in hexadecimal. It may
// be used concurrently.
type Witness struct {
	cfg    Config
	signer *torchwood.CosignatureSigner
	keys   map[string][]string // the checkpoint keys by origin
	mux    *http.ServeMux

	mu   sync.Mutex
	db   *bbolt.DB
	held map[string]proof.Checkpoint // by origin; of size 0 where nothing was signed yet
}

// signedBucket has, by origin, the last checkpoint that was signed, as a whole.
var signedBucket = []byte("signed")

// lockTime is how long another process may take to let the file go.
const lockTime = time.Second

// NewKey makes the secret key of a witness. The name is that of a host and a path as a rule, such
// as "witness.mod.example/fra", without a plus sign and white space.
func NewKey(name string) (secret string, err error) {
	secret, _, err = note.GenerateKey(nil, name)
	if err == nil {
		_, err = note.NewSigner(secret)
	}
	if err != nil {
		return "", problem.New(problem.Usage, "%.100q cannot be the name of a witness", name).
			WithHint("give it a name without plus signs and spaces, such as " +
				"witness.mod.example/fra")
	}
	return secret, nil
}

// signerOf reads the secret. Its signatures are cosignatures alone, which no checkpoint and no
// statement can be taken for (C2SP tlog-cosignature).
func signerOf(secret string) (*torchwood.CosignatureSigner, error) {
	bad := problem.New(problem.Invalid, "this is no key of a witness").
		WithHint("put the file back that the witness has made")
	secret = strings.TrimSpace(secret)
	s, err := note.NewSigner(secret)
	if err != nil {
		return nil, bad
	}
	parts := strings.SplitN(secret, "+", 5) // PRIVATE+KEY+name+hash+key
	data, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(data) != 1+ed25519.SeedSize {
		return nil, bad
	}
	return torchwood.NewCosignatureSigner(s.Name(), ed25519.NewKeyFromSeed(data[1:]))
}

// Open reads what the witness has signed so far. A file that cannot be read is an error: a witness
// that has forgotten what it signed is none.
func Open(cfg Config) (*Witness, error) {
	signer, err := signerOf(cfg.Secret)
	if err != nil {
		return nil, err
	}
	w := &Witness{cfg: cfg, signer: signer, keys: map[string][]string{},
		held: map[string]proof.Checkpoint{}, mux: http.NewServeMux()}
	for _, key := range cfg.Logs {
		v, err := proof.CheckpointVerifier(key)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(w.keys[v.Name()], key) {
			w.keys[v.Name()] = append(w.keys[v.Name()], key)
		}
	}
	if err := w.load(); err != nil {
		return nil, err
	}
	w.mux.HandleFunc("POST /add-checkpoint", w.addCheckpoint)
	w.mux.HandleFunc("GET /{hash}/checkpoint", w.checkpoint)
	return w, nil
}

// Key is the witness's public key, for policies: "witness.mod.example/fra+1a2b3c4d+BAe…".
func (w *Witness) Key() string { return w.signer.Verifier().String() }

// Origins are the ledgers that it is a witness of, sorted, each with the size that it has signed.
func (w *Witness) Origins() (origins []string, sizes []int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for origin := range w.keys {
		origins = append(origins, origin)
	}
	slices.Sort(origins)
	for _, origin := range origins {
		sizes = append(sizes, w.held[origin].N)
	}
	return origins, sizes
}

// ServeHTTP implements [http.Handler].
func (w *Witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) { w.mux.ServeHTTP(rw, r) }

func nameOf(origin string) string {
	sum := sha256.Sum256([]byte(origin))
	return hex.EncodeToString(sum[:])
}

func (w *Witness) load() (err error) {
	file := filepath.Join(w.cfg.Dir, "witness.db")
	w.db, err = bbolt.Open(file, 0o600, &bbolt.Options{Timeout: lockTime})
	if errors.Is(err, bberrors.ErrTimeout) {
		return problem.New(problem.Conflict, "another witness runs on the folder %s", w.cfg.Dir).
			WithHint("stop it first, or name another folder with --data")
	}
	if err != nil {
		return damaged(file, err)
	}
	err = w.db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(signedBucket)
		for origin := range w.keys {
			if err == nil {
				w.held[origin], err = w.read(origin, b.Get([]byte(origin)))
			}
		}
		return err
	})
	if err != nil {
		return errors.Join(damaged(file, err), w.db.Close())
	}
	return nil
}

func damaged(file string, err error) error {
	return problem.New(problem.Unavailable,
		"what the witness has signed cannot be read from %s: %w", file, err).
		WithHint("put the file back from a copy that is not older; where there is none, give the " +
			"witness another name and key in another folder, since this one does not know any " +
			"more what it has signed")
}

// read returns the last checkpoint that was signed of a ledger. Its own cosignature, and not the
// ledger's, says that it is that: the ledger's keys may have been replaced since.
func (w *Witness) read(origin string, signed []byte) (proof.Checkpoint, error) {
	if signed == nil {
		return proof.Checkpoint{Origin: origin}, nil
	}
	_, err := note.Open(signed, note.VerifierList(w.signer.Verifier()))
	var c proof.Checkpoint
	if err == nil {
		c, err = proof.ReadCheckpoint(signed)
	}
	if err == nil && c.Origin != origin {
		err = fmt.Errorf("in the place of %s is a checkpoint of %.100q", origin, c.Origin)
	}
	return c, err
}

// Close ends the witness. Nobody may ask it any more.
func (w *Witness) Close() error { return w.db.Close() }

// checkpoint answers with what was signed last.
func (w *Witness) checkpoint(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for origin, c := range w.held {
		if nameOf(origin) == r.PathValue("hash") && len(c.Signed) > 0 {
			rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
			_, _ = rw.Write(c.Signed) // the reader has gone
			return
		}
	}
	http.Error(rw, "the witness has signed no checkpoint of this ledger", http.StatusNotFound)
}

func (w *Witness) addCheckpoint(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxRequest))
	if err != nil {
		http.Error(rw, "the request is longer than a checkpoint with its proof can be",
			http.StatusRequestEntityTooLarge)
		return
	}
	cosignature, err := w.add(r.Context(), body)
	var no *refusal
	switch {
	case err == nil:
		rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = rw.Write(cosignature) // who has asked can ask again
	case errors.As(err, &no) && no.status == http.StatusConflict:
		rw.Header().Set("Content-Type", "text/x.tlog.size")
		rw.WriteHeader(no.status)
		_, _ = fmt.Fprintf(rw, "%d\n", no.size)
	case errors.As(err, &no):
		http.Error(rw, no.Error(), no.status)
	default:
		w.cfg.Log.Error("a checkpoint is not signed", "error", err)
		http.Error(rw, "the witness cannot keep what it signs", http.StatusInternalServerError)
	}
}

// Add takes the body of a request, and returns the lines of the witness's signature. What is signed
// is on the disk before. The error of what is refused says why.
func (w *Witness) Add(body []byte) (cosignature []byte, err error) {
	return w.add(context.Background(), body)
}

func (w *Witness) add(ctx context.Context, body []byte) (cosignature []byte, err error) {
	a, err := parseAdd(body)
	if err != nil {
		return nil, err
	}
	keys := w.keys[a.claims.Origin]
	if len(keys) == 0 {
		return nil, refuse(http.StatusNotFound, "this is no witness of the ledger %.100q",
			a.claims.Origin)
	}
	next, err := proof.OpenCheckpoint(a.signed, keys...)
	if err != nil {
		return nil, refuse(http.StatusForbidden, "no key of the ledger has signed the checkpoint")
	}
	if err := w.holds(ctx, next); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	last := w.held[next.Origin]
	if err := goesOn(last, next, a); err != nil {
		w.refused(last, next, err)
		return nil, err
	}
	text, _, _ := strings.Cut(string(next.Signed), "\n\n")
	signed, err := note.Sign(&note.Note{Text: text + "\n"}, w.signer)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "the checkpoint is not in its only form: %v", err)
	}
	_, lines, _ := strings.Cut(string(signed), "\n\n")
	// The ledger's signatures stand above the witness's own, and those that nobody looked at go.
	whole, err := keysOnly(next.Signed, keys)
	if err != nil {
		return nil, err
	}
	next.Signed = append(whole, lines...)
	if next.Tree == last.Tree && len(last.Signed) > 0 { // whoever asks again costs no write
		return []byte(lines), nil
	}
	err = w.db.Update(func(tx *bbolt.Tx) error { // which is on the disk when it returns
		return tx.Bucket(signedBucket).Put([]byte(next.Origin), next.Signed)
	})
	if err != nil {
		return nil, fmt.Errorf("keeping the checkpoint of %s: %w", next.Origin, err)
	}
	w.held[next.Origin] = next
	return []byte(lines), nil
}

// holds makes sure of the records of a checkpoint, where the witness reads them.
func (w *Witness) holds(ctx context.Context, next proof.Checkpoint) error {
	if w.cfg.Holds == nil {
		return nil
	}
	err := w.cfg.Holds(ctx, next)
	var other *proof.OtherHistory
	switch {
	case err == nil:
		return nil
	case errors.As(err, &other):
		err = refuse(http.StatusUnprocessableEntity, "%v", other)
		w.keep(other.Seen, next)
	default:
		err = refuse(http.StatusServiceUnavailable, "%v", err)
	}
	w.cfg.Log.Info("a checkpoint is refused", "ledger", next.Origin, "records", next.N, "why", err)
	return err
}

// keysOnly returns the checkpoint with the signatures of these keys alone.
func keysOnly(signed []byte, keys []string) ([]byte, error) {
	var all []note.Verifier
	for _, key := range keys {
		v, err := proof.CheckpointVerifier(key)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	n, err := note.Open(signed, note.VerifierList(all...))
	if err != nil {
		return nil, err
	}
	n.UnverifiedSigs = nil
	return note.Sign(n)
}

// emptyRoot is the root of a tree without records (RFC 6962, section 2.1).
var emptyRoot = tlog.Hash(sha256.Sum256(nil))

// goesOn makes sure that the next checkpoint is that of the last one's tree, with records added or
// with none.
func goesOn(last, next proof.Checkpoint, a add) error {
	switch {
	case a.old > next.N:
		return refuse(http.StatusBadRequest,
			"the old size %d is more than that of the checkpoint, %d", a.old, next.N)
	case a.old != last.N:
		return &refusal{status: http.StatusConflict, size: last.N,
			why: fmt.Sprintf("the witness holds %d records, and not %d", last.N, a.old)}
	case next.N == last.N && last.N > 0 && next.Hash != last.Hash:
		return &refusal{status: http.StatusConflict, size: last.N, other: true,
			why: fmt.Sprintf("of the same %d records the witness holds another root", last.N)}
	case next.N == 0 && next.Hash != emptyRoot:
		return refuse(http.StatusUnprocessableEntity, "a tree without records has another root")
	case (a.old == 0 || a.old == next.N) && len(a.proof) > 0:
		return refuse(http.StatusUnprocessableEntity,
			"there is nothing to prove from size %d", a.old)
	case a.old == 0 || a.old == next.N:
		return nil
	}
	if err := tlog.CheckTree(a.proof, next.N, next.Hash, last.N, last.Hash); err != nil {
		return refuse(http.StatusUnprocessableEntity,
			"the proof does not show that the first %d of the %d records are those before", last.N,
			next.N)
	}
	return nil
}

// refused says what was refused, and keeps the proof of two histories.
func (w *Witness) refused(last, next proof.Checkpoint, err error) {
	var no *refusal
	if !errors.As(err, &no) || !no.other {
		w.cfg.Log.Info("a checkpoint is refused", "ledger", next.Origin, "records", next.N,
			"why", err)
		return
	}
	w.keep(last, next)
}

// keep keeps two checkpoints that cannot both be true.
func (w *Witness) keep(last, next proof.Checkpoint) {
	// The same pair has the same name: it is kept and said once, however often it is sent.
	file := filepath.Join(w.cfg.Dir, fmt.Sprintf("other-history-%s-%d-%x.checkpoints",
		nameOf(next.Origin)[:16], next.N, next.Hash[:8]))
	fresh, err := keepNew(file, slices.Concat(last.Signed, []byte("\n"), next.Signed))
	if err != nil {
		w.cfg.Log.Error("the proof of two histories cannot be kept", "error", err,
			"held", string(last.Signed), "shown", string(next.Signed))
		return
	}
	if !fresh { // it was said when it was kept
		return
	}
	w.cfg.Log.Error("a ledger shows two histories: two checkpoints that it has signed cannot both "+
		"be true",
		"ledger", next.Origin, "records", next.N, "held", last.Hash.String(),
		"shown", next.Hash.String(), "kept", file)
}

// keepNew writes a file, unless it is there, which it reports.
func keepNew(file string, data []byte) (fresh bool, err error) {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return false, errors.Join(err, os.Remove(file)) // half of it would stand for all
	}
	return true, nil
}
