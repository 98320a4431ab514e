// Command muster keeps a coalition's ledger of pledges: it runs the server, and it is what
// liaisons, coordinators and auditors type.
//
// Each command is a file of its own. What they share: root.go finds the server and the key,
// output.go prints, errors.go turns problems into messages and exit codes, server.go puts a server
// together.
package main

import "os"

func main() {
	leave = os.Exit
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
