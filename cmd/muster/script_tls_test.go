package main

import (
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"muster/cmd/internal/certtest"
)

const theAuthority scriptKey = "authority"

// issue [-expired] NAME HOST...: writes a certificate for hosts and its key to NAME.pem and
// NAME.key. The authority is the script's own, whose certificate is in authority.pem.
func scriptIssue(ts *testscript.TestScript, neg bool, args []string) {
	until := time.Now().Add(time.Hour)
	if len(args) > 0 && args[0] == "-expired" {
		until, args = time.Now().Add(-time.Minute), args[1:]
	}
	if neg || len(args) < 2 {
		ts.Fatalf("usage: issue [-expired] NAME HOST...")
	}
	at := ts.Value(theAuthority).(**certtest.Authority)
	if *at == nil {
		authority, err := certtest.New(ts.MkAbs("."))
		ts.Check(err)
		*at = authority
	}
	_, _, err := (*at).Issue(args[0], until, args[1:]...)
	ts.Check(err)
}
