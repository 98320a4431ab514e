// Package web answers questions from outside: the GET half of the HTTP API, and the reading endpoints of the NATS micro
// service.
//
// Each question is one method of [Service], from a struct of parameters to an answer of package projections. One table
// (questions.go) registers them all, so that a question has the same parameters and the same rows on every face.
package web
