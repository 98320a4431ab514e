package proof

import (
	"context"
	"fmt"

	"muster/events"
	"muster/events/english"
	"muster/events/problem"
)

// conclude holds what was read against every checkpoint, and writes the report.
func (v *verifier) conclude(ctx context.Context) (Report, error) {
	r := Report{Of: v.src.Name, Origin: v.state.Origin(), View: v.src.View,
		Records: uint64(v.tree.size), Withheld: v.withheld, FirstRecorded: v.first}
	if v.tree.size == 0 && v.fault == nil && v.src.Checkpoint == nil {
		return r, problem.New(problem.NotFound, "%s holds no records", v.src.Name)
	}
	if v.first != "" {
		r.LastRecorded = v.state.Recorded().Format(events.RecordedForm)
	}
	root, _ := v.tree.root(v.tree.size)
	r.Root = root.String()
	v.compareCheckpoints(ctx)
	tiles, tilesFault, err := 0, (*Fault)(nil), error(nil)
	if v.src.Tiles != nil && v.fault == nil && len(v.whole) == 0 {
		if tiles, tilesFault, err = v.compareTiles(ctx); err != nil {
			return r, err
		}
	}
	if tilesFault != nil {
		v.blameWhole(tilesFault)
	}
	for _, extra := range v.src.Also {
		fault, err := extra(ctx, Found{v}, &r)
		if err != nil {
			return r, err
		}
		v.blameAny(fault)
	}
	// It may be right or wrong: whoever cannot read it does not guess.
	if v.newer != nil && len(v.whole) == 0 {
		return r, v.newer
	}
	v.report(&r, tiles)
	return r, nil
}

func (v *verifier) compareCheckpoints(ctx context.Context) {
	if v.checkpointFault != nil {
		v.blameWhole(v.checkpointFault)
	}
	for _, c := range []struct {
		*Checkpoint
		what, check string
	}{{v.checkpoint, "its checkpoint", "checkpoint"},
		{v.since, "the checkpoint to begin with", "since"}} {
		if c.Checkpoint == nil {
			continue
		}
		if origin := v.state.Origin(); origin != "" && c.Origin != string(origin) {
			v.blameWhole(&Fault{Check: c.check,
				What: fmt.Sprintf("%s is of the ledger %q, and the records are of %s", c.what,
					c.Origin, origin)})
		}
		v.compareTree(ctx, c.Tree, c.what, c.check)
	}
	if v.since != nil {
		v.noteOther(*v.since)
	}
	v.compareKnown(ctx)
	if v.src.Tree != nil {
		v.compareTree(ctx, *v.src.Tree, "the root that was saved with the records", "tree")
	}
}

// compareKnown holds the records against the checkpoints that were verified before. What has fewer
// records may be older, or lag behind another server, and is no fault. Where the very key that has
// signed for less has signed for more, it is not what the ledger is now.
func (v *verifier) compareKnown(ctx context.Context) {
	for _, c := range v.opts.Known {
		switch {
		case c.N <= v.tree.size:
			v.compareTree(ctx, c.Tree, "a checkpoint that was verified before", "known")
			v.noteOther(c)
		case !v.src.MayBeOld && v.checkpoint != nil && c.By != "" && c.By == v.checkpoint.By:
			v.wentBack = max(v.wentBack, c.N)
			v.older = max(v.older, c.N)
		default:
			v.older = max(v.older, c.N)
		}
	}
}

// noteOther notes two checkpoints that cannot both be true: one that was verified before, and the
// source's own, where the records are those of the second.
func (v *verifier) noteOther(seen Checkpoint) {
	c := v.checkpoint
	if c == nil || c.By == "" || seen.By == "" || v.other != nil || seen.N > v.tree.size {
		return
	}
	if root, ok := v.tree.root(c.N); !ok || root != c.Hash {
		return
	}
	if root, ok := v.tree.root(seen.N); ok && root != seen.Hash {
		v.other = &OtherHistory{Seen: seen, Shown: *c, What: fmt.Sprintf(
			"the first %d records make the root %s, and it was %s", seen.N, root, seen.Hash)}
	}
}

func (v *verifier) reportKnown(r *Report) {
	switch {
	case v.failed("known") == nil && v.wentBack > 0:
		r.Older, r.WentBack = v.older, true
		r.Add("known", NotChecked, "%s has signed for %d records before, which was verified then: "+
			"these here are an older state", v.checkpoint.By, v.wentBack)
	case v.failed("known") == nil && v.older > 0:
		r.Older = v.older
		r.Add("known", NotChecked,
			"a checkpoint that was verified before is of %d records: these here are older", v.older)
	case len(v.opts.Known) > 0:
		v.check(r, "known", "the records are still those of %s that earlier commands have verified",
			english.Several(uint64(len(v.opts.Known)), "checkpoint"))
	}
}

func (v *verifier) blameAny(f *Fault) {
	switch {
	case f == nil:
	case f.Sequence == 0:
		v.blameWhole(f)
	default:
		v.blame(f)
	}
}

// failed returns the fault that a check has found, or nil.
func (v *verifier) failed(check string) *Fault {
	if v.fault != nil && v.fault.Check == check {
		return v.fault
	}
	for _, f := range v.whole {
		if f.Check == check {
			return f
		}
	}
	return nil
}

// report writes every check and the first fault.
func (v *verifier) report(r *Report, tiles int) {
	also := r.Checks
	r.Checks = nil
	v.reportTree(r, tiles)
	v.reportStatements(r)
	v.reportWithheld(r)
	v.reportTimes(r)
	v.leaps.report(r)
	r.Checks = append(r.Checks, also...)
	if r.Fault = v.fault; r.Fault == nil && len(v.whole) > 0 {
		r.Fault = v.whole[0]
	}
	r.OK, r.Other = r.Fault == nil, v.other
	r.CannotShow = append(r.CannotShow, cannotShow(v.src.Name, v.opts.Key, v.checkpoint)...)
}

// check adds what a check has found: its fault, if it has one; or that it is verified, with a text
// of how far.
func (v *verifier) check(r *Report, name, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	switch f := v.failed(name); {
	case f != nil:
		r.Add(name, Failed, "%s", f)
	case v.fault != nil && v.fault.Sequence <= r.Records:
		r.Add(name, Verified, "%s, as far as record %d", text, v.good())
	default:
		r.Add(name, Verified, "%s", text)
	}
}

func (v *verifier) reportTree(r *Report, tiles int) {
	v.check(r, "records",
		"the sequence has no gap, every record is well formed, and the recorded times never go "+
			"back")
	if f := v.failed("tree"); f != nil || v.checkpoint == nil && v.src.Tree == nil {
		v.check(r, "tree", "the records make the root %s", r.Root)
	} else {
		r.Add("tree", Verified, "the records make the root %s", r.Root)
	}
	if tiles > 0 || v.failed("tiles") != nil {
		v.check(r, "tiles", "the %d stored tiles of the Merkle tree are those that the records "+
			"make", tiles)
	}
	v.reportCheckpoint(r)
	v.reportKnown(r)
	if v.since != nil {
		v.check(r, "since", "the first %d records are still those of the checkpoint to begin "+
			"with, root %s", v.since.N, v.since.Hash)
	}
}

func (v *verifier) reportCheckpoint(r *Report) {
	c := v.checkpoint
	switch f := v.failed("checkpoint"); {
	case f != nil:
		r.Add("checkpoint", Failed, "%s", f)
	case c == nil:
		why := v.src.NoCheckpoint
		if why == "" {
			why = "there is none"
		}
		r.Add("checkpoint", NotChecked, "%s: nobody has signed for the whole", why)
	case v.compared(c) != nil:
		r.Add("checkpoint", Failed,
			"its signature may be right, but the records are not those that it covers")
	case c.By == "":
		r.Add("checkpoint", NotChecked,
			"the records are those of the checkpoint, but no key is known to check its "+
				"signature with: give one with --checkpoint-key")
	default:
		r.Checkpoint = covered(c, v.opts.Key)
		r.Add("checkpoint", Verified, "%s", v.signedText(c))
	}
}

// compared returns why the records are not those that a checkpoint covers, or nil.
func (v *verifier) compared(c *Checkpoint) *Fault {
	if root, ok := v.tree.root(c.N); ok && root == c.Hash {
		return nil
	}
	return v.fault
}

func (v *verifier) signedText(c *Checkpoint) string {
	covers := fmt.Sprintf("the first %s of %d, with their root",
		english.Several(uint64(c.N), "record"), v.tree.size)
	if c.N == v.tree.size {
		covers = english.Several(uint64(c.N), "record") + ", which are all, with this root"
	}
	return fmt.Sprintf("%s has signed for %s; the key %s%s", c.By, covers, v.opts.Key.Why,
		c.otherSignatures())
}

func (v *verifier) reportStatements(r *Report) {
	of := r.Records
	if v.since != nil {
		of -= min(of, uint64(v.since.N))
	}
	if of == 0 {
		r.Add("signatures", NotChecked, "there are no new records")
	} else {
		v.check(r, "signatures", "%s, by %s, each a member with that key when its record was made",
			english.Several(uint64(v.signatures.Load()), "signature"),
			english.Several(uint64(len(v.signers)), "key"))
	}
	if v.since != nil {
		r.Add("older", NotChecked,
			"the signatures of the first %d records, which the checkpoint to begin with covers, "+
				"were not verified again", v.since.N)
	}
	if v.withheld > 0 {
		v.check(r, "rules", "every statement that can be read was allowed when it was recorded, "+
			"as far as what can be read tells, and no id is used twice")
	} else {
		v.check(r, "rules", "every statement was allowed when it was recorded, and every id is "+
			"used once")
	}
	v.reportNations(r)
	if v.seen > 0 || v.failed("seen") != nil {
		v.check(r, "seen", "%s an earlier tree that the signer had verified, and it is this one's",
			naming(v.seen))
	}
}

func naming(n uint64) string {
	if n == 1 {
		return "1 statement names"
	}
	return fmt.Sprintf("%d statements name", n)
}

// cannotShow is what no verification of records that one party hands over can show.
func cannotShow(of string, key TrustedKey, c *Checkpoint) (all []string) {
	if key.Claimed && c != nil && c.By != "" {
		all = append(all, "that the checkpoint key is the ledger's: only "+of+
			" itself says so (give the key with --checkpoint-key)")
	}
	return append(all, "that nobody else was shown another ledger under the same name: compare "+
		"checkpoints with others",
		"that what the statements say is true, and that the recorded times are: the server sets "+
			"its own clock")
}
