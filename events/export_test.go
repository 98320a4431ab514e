package events

// DrawStatement draws any statement that is well formed, for the tests of those who describe
// statements.
var DrawStatement = drawStatement
