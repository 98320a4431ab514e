// Package web answers questions from outside: the GET half of the HTTP API, and the reading
// endpoints of the NATS micro service.
//
// Each question is one method of [Service] (handlers.go, records.go, rebuild.go), from a struct of
// parameters (queries.go) to an answer of package projections. One table (questions.go) registers
// them all on both faces (http.go, nats.go), and one reader (parameters.go) takes their parameters
// from either, so that a question has the same parameters, the same refusals and the same rows
// wherever it is asked. table.go says what rows are, and tables.go which an answer has: csv.go
// gives them an address of their own, and the command line prints them. etag.go tells who has an
// answer already. schema.go tells the API's document (OpenAPI 3.1) what the Go types do not.
//
// A [Client] asks over HTTP what another process answers.
package web
