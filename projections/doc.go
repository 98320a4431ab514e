// Package projections is the read side: what follows from the records of a ledger. It cannot write
// to the ledger, and does not know how records come to be; package [muster/events] is all that it
// shares with the side that writes.
//
// This is the last part of the tour that [muster/events] begins; again bottom up.
//
// What a file is for stands at the beginning of its name:
//
//	fold_       takes records in: picture.go is the fold of all of them
//	versions_   the table of pledge versions, and what sums of it are kept
//	answer_     answers a question, or a part of one, and changes nothing
//	snapshot    writes a picture as it stands, and reads it again
//
// A [records.Source] yields the records of the ledger, verified and in order. From each record the
// projections take one [records.Row]. What records say of one thing is kept as its history
// (fold_history.go), in the order in which it applies, each with the sequence of its record. These
// are the two clocks: a [Moment] (moment.go) says as of which record, on which date and from which
// [Rung] a question is asked, and every answer carries its [Basis], which is the moment with all
// filled in. A record that comes late goes to its place in the history, where an older question
// leaves it out: its answer stays the same for ever.
//
// The date of a Moment may be a range of days, of which either end may be left open. It means the
// same in every question (versions_ranges.go). A sum answers for the day of the range on which it
// is lowest, which is what can be relied on throughout, and says which day that is: each row its
// own, the first of them where there are several. A line of requirements, with all that is told of
// it, answers for the day on which most of it is missing, among those on which it is in force. A
// list answers with whatever is so on any day of the range, and what is one thing, such as a pledge
// or a catalogue, is shown as it stands on the last day. A question that names no date is about
// today, and about the first day of what has not begun (answer_opening.go). What compares two
// moments, and what previews a change, asks for one date and refuses a range.
//
// The [Picture] (picture.go) is the fold of all rows:
//
//   - fold_operations.go: the operations, their catalogues of roles, and the nations' scopes;
//   - fold_requirements.go: the lines of the statement of requirements;
//   - fold_roster.go: who may sign;
//   - fold_pledges.go: the pledges, with the table of what each kind of statement does to one.
//     fold_facts.go keeps what was said of each, and puts corrections in the place of what they
//     mend; fold_standing.go folds these facts into where the pledge stands at a moment;
//   - versions.go: the table of pledge versions. A version is what a pledge amounts to in a stretch
//     of dates, as known between two records: a row with both intervals and little else, in
//     columns. Whatever sums is a scan of it; versions_whatif.go says which rows count in a world
//     that is supposed. versions_date_index.go keeps the rows of a date ready, versions_rollup.go
//     what they add up to, and answer_coverage_cache.go the answers that were given last, which
//     stay good: they are as of a record.
//
// To take a row in has two halves. The Picture admits it, in the order of the records: it must be
// one that can follow, and becomes a fact. The fact is then folded into its pledge and the table
// (fold.go), which touches nothing else. Records that come one by one are folded at once. A ledger
// that is replayed is folded in bulk (fold_bulk_load.go): each pledge in one go and the pledges
// beside each other, into the same picture, row by row. What is replayed is read and decoded on all
// processors ahead of that ([records.Batches]).
//
// The questions are methods of the Picture that fold these again and change nothing. Each takes the
// context of the one who asks, and ends with its error when it ends:
//
//   - answer_pledges.go and answer_pledge_life.go: pledges as they stand, and the life of one as a
//     person would tell it;
//   - answer_coverage_match.go: which line a pledge counts for;
//   - answer_coverage.go: which requirements are met, how far, and by whom;
//     answer_coverage_uncounted.go: what is there and does not count, each with its [Reason];
//     answer_coverage_range.go: the same of a range;
//   - answer_strength.go: what is pledged or deployed, summed within a unit;
//   - answer_replay.go: the fold itself, for whoever checks it, and where two histories part.
//
// Three things hold in all of them. Quantities of two units are never added. An unknown quantity is
// never 0: it is counted, beside the sum. And whatever is not in a sum is told beside it with the
// reason, so that no pledge is ever lost from sight.
//
// What a question may cost is metered while it is answered (budget.go). Package
// [muster/projections/projector] keeps a Picture up to date with its Source, saves its rows and now
// and then a snapshot of it (snapshot.go), and shows readers pictures that do not change any more
// (published.go): none waits for another.
//
// What the records mean on a date, in short. A pledge is there from the date on which it begins (is
// indicated, offered or observed) until the date on which it ends (is withdrawn, declined or
// returned), within its window. Its terms are those that the latest effective statement restates in
// full; where two have one date, the later record holds. It climbs rungs and never climbs down. At
// the rung deployed it counts for the strength last reported, and below it for the quantity
// pledged; where nothing was pledged, only observed, for what was seen. A requirement is in force
// from its issue to its cancellation, within its window.
//
// A pledge that expires stands through that day, and has lapsed on the next, unless it was renewed,
// amended to expire later or deployed by then. What a correction mends counts as if it had said
// this from the beginning, for every question that knows the correction, and as it was said for all
// others. Once something of a pledge is allocated on a date, it counts where it is allocated, the
// oldest allocation first where there is not enough for all, and what is not allocated counts
// nowhere. An open condition or a caveat takes nothing from a supply: how much hangs on it stands
// beside; a condition that has failed takes all.
//
// A pledge without any allocation on a date fits the lines in force that ask for its role in its
// unit, where both name one area or one of them names none. It counts for the line that it names as
// the one that it is meant for, if it fits that; or else for the only line that it fits; or else,
// where it names an area, for the only line that names the same. So a line without an area takes
// what fits no other, and a pledge without an area, which may be used anywhere, is no more for such
// a line than for the others. What still may be meant for several lines counts for none, and each
// of these says how much waits there for an allocation, as it does of what is not allocated of a
// pledge: the same forces may wait at several lines. An area that no line names fits none but lines
// without an area; and a name that is no line's, or of a line that the pledge does not fit, decides
// nothing.
package projections
