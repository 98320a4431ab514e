# Muster: build, show, test. Only Go is needed.

.PHONY: all build demo test outside dist faults lint bench compare clean

all: build

build:
	go build -o bin/muster ./cmd/muster

# A real pledging round in a folder of its own, its coverage, and what to type next.
demo: build
	bin/muster demo

# Every test runs without the race detector, which makes what only calculates ten times as slow. Those
# of a short run then run again with it, and so do the servers that they start: fewer random cases, and
# few pages in a browser. Packages that start no goroutine, in their tests neither, have nothing to find
# there. Nobody debugs these programs, and without what debuggers need (-w) they are linked in half the
# time. MUSTER_SEED gives tests the random numbers of a run that failed, and
# -rapid.seed those that draw with rapid.
# Those beside each other wait for servers more than they calculate: four at a time. What go vet finds
# is for make lint to say.
concurrent = $$(grep -rlE '^[[:space:]]*go [a-zA-Z(]|\.Go\(|\.Parallel\(' --include='*.go' cmd ledger \
	projections events | xargs -n1 dirname | sort -u | sed 's|^|./|')

test:
	go test -parallel 4 -vet=off -ldflags=-w -timeout 12m ./...
	go test -parallel 4 -short -race -vet=off -ldflags=-w -timeout 12m $(concurrent)

# What is released, in dist: make dist VERSION=0.2.0. It is built twice, from two folders, and must come out
# the same; and vetted for the second machine. To begin anew: rm -r dist.
dist:
	GOARCH=arm64 go vet ./cmd/muster/... ./ledger/... ./projections/... ./events/...
	MUSTER_DIST=$(VERSION) go test -count=1 -v -run TestSameBytes ./cmd/dist
	go run ./cmd/dist -version "$(VERSION)" -to dist

# Other software reads the files that lists are written as. It is a module of its own, and takes minutes
# to build the first time.
outside:
	cd projections/web/tabular/outside && go test ./...

# Every test that deploy/RELIABILITY.md names, as often as it takes to believe it: within 40 minutes. It
# needs root's rights, for disks and networks of its own, and strace; what cannot be done here is skipped,
# and says so.
faults:
	MUSTER_FAULTS=1 go test -v -count=1 -p 1 -timeout 40m \
	-run "^($$(grep -o 'Test[A-Z][A-Za-z0-9]*' deploy/RELIABILITY.md | sort -u | paste -sd '|' -))$$" \
	./cmd/... ./ledger/...

lint:
	@test -z "$$(gofmt -l .)" || { echo "gofmt:"; gofmt -l .; exit 1; }
	go vet ./...
	go tool staticcheck ./...
	@found=$$(go tool govulncheck ./... 2>&1) && echo "$$found" || case "$$found" in \
	*"fetching vulnerabilities"*) echo "govulncheck: not checked, since the database of known vulnerabilities cannot be reached";; \
	*) echo "$$found"; exit 1;; esac

# Beside the limits of the machine, JetStream alone and PostgreSQL, in one run: see ledger/PERFORMANCE.md.
bench:
	go test -run '^TestMeasures$$' ./cmd/bench -every
	@mkdir -p bin
	go build -o bin/bench ./cmd/bench
	@for measure in append replay start query grow views join; do bin/bench $$measure --json > bin/bench-$$measure.json && bin/bench table bin/bench-$$measure.json || exit 1; done

# Whether this source answers as another commit does, byte for byte, to all that users can ask (see
# cmd/bench/compare.go): make compare BASE=main LEDGER=muster-data; without LEDGER, on the demo's.
BASE = HEAD
compare:
	@rm -rf bin/.base && mkdir -p bin/.base
	git archive $(BASE) | tar -x -C bin/.base
	cd bin/.base && go build -buildvcs=false -o ../muster-base ./cmd/muster
	@rm -rf bin/.base
	go build -buildvcs=false -o bin/muster-head ./cmd/muster
	go run ./cmd/bench compare --base bin/muster-base --head bin/muster-head --ledger "$(LEDGER)"

clean:
	rm -rf bin demo-data
