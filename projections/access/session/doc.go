// Package session is how a reader tells a server who it is.
//
// A member signs a [Note] with its event key, the one that signs statements: for this ledger, this
// server, some hours and a nonce that the server has made. events/FORMAT.md, "Signing in",
// describes it byte by byte.
package session
