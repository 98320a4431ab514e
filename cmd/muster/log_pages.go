package main

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strconv"
	"time"

	"muster/events/problem"
	"muster/ledger/proof"
	"muster/projections/web"
)

// recordPages yields the pages of the server's records that have what the parameters ask for, up to
// the last one that the verified checkpoint covers: what the server says to be behind it nobody has
// signed for, and a list that does not go on would have no end. Each record is the one that the
// ledger has there: see [proof.Shown].
func (a *app) recordPages(ctx context.Context,
	parameters map[string]string) iter.Seq2[web.Records, error] {
	return func(yield func(web.Records, error) bool) {
		c, err := a.meet(ctx)
		if err != nil {
			yield(web.Records{}, err)
			return
		}
		end := uint64(c.seen.N)
		asked := maps.Clone(parameters)
		for {
			var page web.Records
			if err := a.question(ctx, "records", asked, &page); err != nil {
				yield(page, err)
				return
			}
			from, _ := strconv.ParseUint(asked["from"], 10, 64) // 0 for a day, or none
			if err := continues(page, from); err != nil {
				yield(page, err)
				return
			}
			coveredBy(&page, end)
			if err := a.makeSure(ctx, &page); err != nil {
				yield(page, err)
				return
			}
			if a.verifies {
				if err := a.nothingLeftOut(ctx, asked, page); err != nil {
					yield(page, err)
					return
				}
			}
			if !yield(page, nil) || page.Next > page.AsOf {
				return
			}
			asked["from"] = strconv.FormatUint(page.Next, 10)
		}
	}
}

// continues makes sure that a page has records from one on, in their order, and ends behind them.
func continues(page web.Records, from uint64) error {
	next := from
	for _, r := range page.Records {
		if r.Sequence < max(next, 1) {
			return endless(from)
		}
		next = r.Sequence + 1
	}
	if page.Next < next || page.Next <= from && page.Next <= page.AsOf {
		return endless(from)
	}
	return nil
}

func endless(from uint64) error {
	return problem.New(problem.Unverified,
		"the server's list of records does not go on from record %d", from).
		WithHint("do not rely on it: is there a Muster server at this address, and nothing else " +
			"in between?")
}

// coveredBy leaves off what stands behind the last record that a checkpoint covers.
func coveredBy(page *web.Records, end uint64) {
	for n := len(page.Records); n > 0 && page.Records[n-1].Sequence > end; n-- {
		page.Records = page.Records[:n-1]
	}
	page.AsOf, page.Next = min(page.AsOf, end), min(page.Next, end+1)
}

// makeSure makes sure of the records of a page, and has what is shown of them follow from what is
// stored.
func (a *app) makeSure(ctx context.Context, page *web.Records) error {
	c := a.contact
	if c.shown == nil {
		c.shown = &proof.Shown{Fetch: c.fetch, Members: a.members}
	}
	recs, err := c.shown.Check(ctx, c.seen, shownIn(*page))
	for i, rec := range recs {
		page.Records[i] = web.RecordOf(rec)
	}
	return err
}

func shownIn(page web.Records) []proof.Entry {
	all := make([]proof.Entry, len(page.Records))
	for i, r := range page.Records {
		all[i] = proof.Entry{Sequence: r.Sequence, Stored: []byte(r.Stored)}
	}
	return all
}

// members asks for the founding and the records about members, from a sequence on. Nothing of them
// is verified.
func (a *app) members(ctx context.Context, from uint64) ([]proof.Entry, error) {
	var all []proof.Entry
	asked := map[string]string{"type": "member", "from": strconv.FormatUint(from, 10)}
	if from <= 1 {
		asked = map[string]string{"type": "ledger", "from": "1"}
	}
	for {
		var page web.Records
		err := a.question(ctx, "records", asked, &page)
		if err == nil {
			from, _ := strconv.ParseUint(asked["from"], 10, 64)
			err = continues(page, from)
		}
		if err != nil {
			return nil, err
		}
		coveredBy(&page, uint64(a.contact.seen.N))
		all = append(all, shownIn(page)...)
		switch {
		case page.Next <= page.AsOf:
			asked["from"] = strconv.FormatUint(page.Next, 10)
		case asked["type"] == "ledger":
			asked = map[string]string{"type": "member", "from": "2"}
		default:
			return all, nil
		}
	}
}

// nothingLeftOut makes sure that a page has all that was asked for, up to where it ends: it reads
// and verifies the whole ledger for that.
func (a *app) nothingLeftOut(ctx context.Context, asked map[string]string, page web.Records) error {
	l, err := a.ledgerVerified(ctx)
	if err != nil {
		return err
	}
	view, err := l.viewNamed(ctx, asked["view"])
	if err != nil {
		return err
	}
	f, err := l.fold(ctx, l.size, view)
	if err != nil {
		return err
	}
	a.answersVerified = true
	var there []uint64
	own := maps.Clone(asked)
	for next := uint64(0); next < page.Next; own["from"] = strconv.FormatUint(next, 10) {
		var mine web.Records
		if err := f.Ask(ctx, time.Now(), "records", own, &mine); err != nil {
			return err
		}
		for _, r := range mine.Records {
			if r.Sequence < page.Next {
				there = append(there, r.Sequence)
			}
		}
		next = mine.Next
		if next > mine.AsOf {
			break
		}
	}
	var shown []uint64
	for _, r := range page.Records {
		shown = append(shown, r.Sequence)
	}
	if slices.Equal(there, shown) {
		return nil
	}
	return problem.New(problem.Unverified, "of the records up to %d, the ledger has %d that were "+
		"asked for, and the server shows %d", page.Next-1, len(there), len(shown)).
		WithCode("other-answer").
		WithHint("do not rely on this server, or on what stands before it")
}
