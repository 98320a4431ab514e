# Muster: build, show, test. Only Go is needed.

.PHONY: all build demo test lint clean

all: build

build:
	go build -o bin/muster ./cmd/muster

# A real pledging round in a folder of its own, its coverage, and what to type next.
demo: build
	bin/muster demo

test:
	go test -race -timeout 25m ./...

lint:
	@test -z "$$(gofmt -l .)" || { echo "gofmt:"; gofmt -l .; exit 1; }
	go vet ./...
	go tool staticcheck ./...

clean:
	rm -rf bin demo-data
