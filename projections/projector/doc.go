// Package projector keeps pictures up to date with the journal, saves them and builds them anew.
//
// A [Projector] (projector.go) takes in what its source has (catchup.go), and shows readers
// pictures that do not change any more: none waits for another. It saves the rows of what it took
// in, with a cursor, in one file (store.go). Where there are many rows it also saves now and then
// what came of them (snapshot.go), so that a start need not fold them all again.
//
// What is saved can be thrown away at any time: [Rebuild] (rebuild.go) builds it again from the
// first record, and compares the fingerprint of every projection.
//
// Files, the cursor and who may write are this package's alone. Of a picture it asks five things:
// to take rows in, one by one or in bulk, to be shared with readers, and to be written and read
// again. So a question, which is a method of the picture, cannot write a file.
package projector
