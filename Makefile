# Muster: build, show, test. Only Go is needed.

.PHONY: all build man demo test outside dist packages packages-check fetch offline faults lint bench compare clean

all: build

build:
	go build -o bin/muster ./cmd/muster

# The manual: man -l bin/man1/muster.1
man: build
	bin/muster man bin/man1

# A real pledging round in a folder of its own, its coverage, and what to type next.
demo: build
	bin/muster demo

# Every test runs without the race detector, which makes what only calculates ten times as slow. Those
# of a short run then run again with it, and so do the servers that they start: fewer random cases, few
# scripts, and few pages in a browser. Packages that start no goroutine, in their tests neither, have
# nothing to find there; nor has what only multiplies (fields and curves) or matches texts (which nobody
# changes), which half of the time would go to; and a test program that ends need not wait for races that
# would come later.
# Nobody debugs these programs, and without what debuggers need (-dwarf=false, -w) they are compiled in four
# fifths of the time and linked in half of it; lint compiles the same, to be found in Go's cache, and so do its
# tools by go run, where go tool heeds no GOFLAGS.
# Memory is there, and so garbage is collected seldom, which takes a fifth off, except where memory is
# what is measured.
# MUSTER_SEED gives tests the random numbers of a run that failed, and -rapid.seed those that draw with
# rapid. Those beside each other wait for servers more than they calculate: four at a time. The longest
# begin first, so that no processor waits for them in the end. What go vet finds is for make lint to say.
longest = ./cmd/muster ./projections/web

concurrent = $$(grep -rlE '^[[:space:]]*go [a-zA-Z(]|\.Go\(|\.Parallel\(' --include='*.go' cmd ledger \
	projections events | xargs -n1 dirname | sort -u | sed 's|^|./|')

alone = $(foreach each,crypto/internal/fips140/... github.com/oasisprotocol/curve25519-voi/... regexp/..., \
	"-gcflags=$(each)=-race=false -dwarf=false")

test lint: export GOFLAGS += -gcflags=all=-dwarf=false
test lint: export GOGC = 400
test:
	go test -parallel 4 -vet=off -ldflags=-w -timeout 30m $(longest) ./...
	GORACE=atexit_sleep_ms=0 go test -parallel 4 -short -race $(alone) -vet=off -ldflags=-w -timeout 30m $(longest) $(concurrent)

# What is released, in dist: make dist VERSION=0.2.0. It is built twice, from two folders, and must come out
# the same; and vetted for the second machine, last, with what building for it has left in the cache. To begin
# anew: rm -r dist.
dist:
	@! test -e dist || { echo "there is a folder dist: to begin anew, rm -r dist"; exit 1; }
	MUSTER_DIST=$(VERSION) go test -count=1 -v -timeout 60m -run TestSameBytes ./cmd/dist
	go run ./cmd/dist -version "$(VERSION)" -to dist
	GOARCH=arm64 CGO_ENABLED=0 go vet -trimpath ./cmd/muster/... ./ledger/... ./projections/... ./events/...

# For a machine without a network: make fetch where there is one, and take this tree, Go and the folder that
# "go env GOMODCACHE" names along. make offline shows that nothing else is needed, in a namespace without a
# network: all modules are there that the program, its tests and its tools are made of, and it is built and
# tried. There, GOPROXY=off goes before make test and make dist, too. Only make packages needs nfpm besides:
# what fetch EVERYTHING=1 takes along is for the modules of their own (packages, other software's readers).
modules = . $(if $(EVERYTHING),deploy/package projections/web/tabular/outside)

fetch: all = $(modules) cmd/muster/testdata/litewitness cmd/muster/testdata/client
fetch:
	for dir in $(all); do (cd $$dir && go mod download) || exit 1; done

offline: export GOPROXY = off
offline: export GOSUMDB = off
offline: export GOTOOLCHAIN = local
offline: export GOFLAGS = -mod=mod
offline:
	unshare -rn sh -c 'ip link set lo up && \
	for dir in $(modules); do (cd $$dir && go list -deps -test ./... >/dev/null && go list -deps tool >/dev/null) || exit 1; done && \
	go build -o bin/muster ./cmd/muster && bin/muster help verify >/dev/null && \
	go test -count=1 ./events && \
	go test -count=1 -run TestScripts/first-use ./cmd/muster'

# Packages for Debian's and Red Hat's families, of what make dist has made: make packages VERSION=0.2.0. What
# makes and checks them is a module of its own, and takes minutes to build the first time, as does the older
# program from which the check upgrades. It needs root's rights, dpkg, rpm, lintian, bubblewrap and buildah, and
# says what it had to skip.
packages:
	deploy/package/make.sh "$(VERSION)" dist

packages-check:
	cd deploy/package && MUSTER_DIST=$(CURDIR)/dist go test -count=1 -v -timeout 60m .

# Other software reads the files that lists are written as, and saves forms. It is a module of its own,
# and takes minutes to build the first time.
outside:
	cd projections/web/tabular/outside && go test ./...
	MUSTER_OUTSIDE=1 go test -count=1 -run TestLibreOffice ./ledger/intake/form

# Every test that deploy/RELIABILITY.md names, as often as it takes to believe it: within 40 minutes. It
# needs root's rights, for disks and networks of its own, and strace; what cannot be done here is skipped,
# and says so. What waits for processes that hang runs beside what calculates.
faults:
	MUSTER_FAULTS=1 go test -v -count=1 -p 2 -timeout 40m \
	-run "$$(grep -oE 'Test[A-Z][A-Za-z0-9]*(/[a-z0-9-]+)?' deploy/RELIABILITY.md | sort -u | \
		sed 's|/|$$/^|; s|.*|^&$$|' | paste -sd '|' -)" \
	./cmd/faults ./cmd/muster ./cmd/... ./ledger/...

lint:
	@test -z "$$(gofmt -l .)" || { echo "gofmt:"; gofmt -l .; exit 1; }
	go vet ./...
	go run honnef.co/go/tools/cmd/staticcheck ./...
	@found=$$(go run golang.org/x/vuln/cmd/govulncheck ./... 2>&1) && echo "$$found" || case "$$found" in \
	*"fetching vulnerabilities"*) echo "govulncheck: not checked, since the database of known vulnerabilities cannot be reached";; \
	*) echo "$$found"; exit 1;; esac

# Beside the limits of the machine, JetStream alone and PostgreSQL, in one run: see ledger/PERFORMANCE.md.
bench:
	go test -tags postgres -run '^TestMeasures$$' ./cmd/bench -every
	@mkdir -p bin
	go build -tags postgres -o bin/bench ./cmd/bench
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
