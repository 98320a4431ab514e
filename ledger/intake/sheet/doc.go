// Package sheet reads tables as people keep them: rows of cells below a header, each with its place
// in the file, so that what is wrong in a cell can be looked up there.
//
// What the cells mean is for others (package round). Nothing is guessed here, and nothing is lost
// without a word: a file that may be cut, or whose rows have other cells than its header, is
// refused.
package sheet
