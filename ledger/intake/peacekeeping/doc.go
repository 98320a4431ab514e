// Package peacekeeping turns the published history of uniformed contributions to United Nations
// peace operations into statements: what was seen, month by month, where no offer was ever seen.
//
// The table is the CSV of the International Peace Institute's project Providing for Peacekeeping,
// made from the UN's monthly reports: a row for each month, contributor and mission, with the
// people in four roles (troops, individual police, formed police units, experts on mission), men,
// women and in total. It is dirty, and [Read] cleans it:
//
//   - rows whose contributor or mission is "all" are totals, and are left out; the totals of
//     everything are kept to compare;
//   - stray apostrophes at the end of names and codes are taken off;
//   - rows that are there again with the same numbers count once;
//   - NA and 0 both mean none;
//   - contributors are taken by their codes, so that a contributor whose name changed is the same
//     before and after.
//
// What cannot be cleaned without a guess is a fault, told with its line: a repeated row with other
// numbers, roles that do not add up to their total, a code that is not the name's, a month under
// two dates. The [Report] says what was cleaned.
//
// A cleaned history is a series for each contributor, mission and role over the file's months. A
// contributor that a month does not list is taken to be gone: the file is the truth.
// [History.Statements] says the changes only: pledge.observed when somebody comes, pledge.reported
// when the number changes, pledge.returned when nobody is left; and whoever comes again begins
// anew. Each mission is an operation, opened in its first month.
//
// The IDs of the statements follow from what they say, so that a file that is imported twice is
// there once. The package signs and sends nothing.
package peacekeeping
