// Package ledger makes records of what may be said: commands in, records out. It is the write side
// of one server, and answers no question about what the records mean.
//
// The tour, continued from package [muster/events], bottom up. Package [muster/ledger/rules] says
// whether a statement may be made: its comment numbers the rules, each with the codes of its
// refusals and its test.
//
// A [Log] is the order that all servers share. Package [muster/ledger/stream] keeps it on NATS
// JetStream, package [muster/ledger/natsd] runs a NATS server inside the process for whoever has
// none, and package [muster/ledger/logtest] holds the contract of a Log as a test, with a Log in
// memory that is rude on purpose. Package [muster/ledger/journal] is the second copy of every
// record, which this process fsyncs itself. What the log has lost may be in one journal alone: so
// servers that share a log are [Peers], and package [muster/ledger/peers] has them ask each other,
// over NATS, how far their journals reach, before one of them makes a record.
//
// A start need not read all of the journal: the [rules.State] of a long ledger is saved now and
// then (saved.go), and what it stands for is checked against the tree after the start.
//
// A record's time is its server's clock, and never before that of the record before it. So a server
// makes no record while its clock and that of the log are more than [MaxSkew] apart, or the last
// record is so far ahead of it (clock.go).
//
// With these, a [Ledger] takes what was signed and gives a [Receipt] when it is in both copies.
// Whatever comes to it has gone through one of the packages under intake, which turn files and
// requests into statements and decide nothing.
package ledger
