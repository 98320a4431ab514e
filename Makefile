# Muster: build, show, test. Only Go is needed.

.PHONY: all build demo test lint bench clean

all: build

build:
	go build -o bin/muster ./cmd/muster

# A real pledging round in a folder of its own, its coverage, and what to type next.
demo: build
	bin/muster demo

# The race detector makes what only calculates ten times as slow: under it, the tests that try every byte, or every proof, try some.
test:
	go test -race -timeout 25m ./...
	go test -run '^TestEvery' ./ledger/journal ./ledger/proof

lint:
	@test -z "$$(gofmt -l .)" || { echo "gofmt:"; gofmt -l .; exit 1; }
	go vet ./...
	go tool staticcheck ./...

# Beside the limits of the machine, JetStream alone and PostgreSQL, in one run: see ledger/PERFORMANCE.md.
bench:
	@mkdir -p bin
	go build -o bin/bench ./cmd/bench
	@for measure in append replay start query grow; do bin/bench $$measure --json > bin/bench-$$measure.json && bin/bench table bin/bench-$$measure.json || exit 1; done

clean:
	rm -rf bin demo-data
