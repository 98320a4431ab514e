// Command known tells litewitness of a ledger, as its witnessctl does: known FILE.db KEY.
package main

import (
	"fmt"
	"os"

	"golang.org/x/mod/sumdb/note"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

func main() {
	if err := add(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// emptyRoot is the root of a tree without records.
const emptyRoot = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

func add(file, key string) error {
	v, err := note.NewVerifier(key)
	if err != nil {
		return err
	}
	db, err := sqlite.OpenConn(file, 0)
	if err != nil {
		return err
	}
	defer db.Close()
	err = sqlitex.ExecScript(db, `
		CREATE TABLE IF NOT EXISTS log (origin TEXT PRIMARY KEY, tree_size INTEGER NOT NULL,
			tree_hash TEXT NOT NULL);
		CREATE TABLE IF NOT EXISTS key (origin TEXT NOT NULL, key TEXT NOT NULL,
			FOREIGN KEY(origin) REFERENCES log(origin));`)
	if err != nil {
		return err
	}
	err = sqlitex.Execute(db, "INSERT INTO log (origin, tree_size, tree_hash) VALUES (?, 0, ?)",
		&sqlitex.ExecOptions{Args: []any{v.Name(), emptyRoot}})
	if err != nil {
		return err
	}
	return sqlitex.Execute(db, "INSERT INTO key (origin, key) VALUES (?, ?)",
		&sqlitex.ExecOptions{Args: []any{v.Name(), key}})
}
