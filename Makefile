# Everything a contributor runs; "make" lists it. Go is all that demo and build
# need; setup-tests sees to the rest.

ARGS      ?=
BENCHTIME ?= 300ms
FUZZTIME  ?= 1s
PICTURES  ?= docs/screenshots
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

# The race detector brings checks of pointers along, which SQLite in Go, translated from
# C, spends a quarter of its time on.
RACE := -race -gcflags=modernc.org/...=-d=checkptr=0

# The linter has a module of its own, so that the root go.mod stays small.
LINT := go tool -modfile=tools/go.mod golangci-lint

.DEFAULT_GOAL := help
.PHONY: help demo build test test-long lint fmt generate check check-generated bench chaos fuzz-short screenshots setup-tests

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## run mintage with sample data (ARGS=--once to print and leave)
	CGO_ENABLED=0 go run ./cmd/mintage demo $(ARGS)

build: ## build bin/mintage
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$(VERSION)" -o bin/mintage ./cmd/mintage

test: setup-tests build ## run the tests, on both databases, with the race detector, and each fuzz test for a moment
	MINTAGE_TEST_BINARY=$(CURDIR)/bin/mintage go test $(RACE) -timeout 20m ./...
	@$(MAKE) --no-print-directory fuzz-short

test-long: setup-tests build ## run the tests that are too slow for every day (TestLong…)
	MINTAGE_TEST_BINARY=$(CURDIR)/bin/mintage go test -tags long -run '^TestLong' -timeout 15m ./...

lint: ## run golangci-lint, import directions included
	$(LINT) run

fmt: ## format the code
	$(LINT) fmt

generate: build ## write api/openapi.yaml and docs/dependencies.md
	bin/mintage openapi > bin/openapi.yaml
	mv bin/openapi.yaml api/openapi.yaml
	go -C tools run ./licences > bin/dependencies.md
	mv bin/dependencies.md docs/dependencies.md

check: lint check-generated test ## lint, test, and compare what is generated: what CI asks for

# Compared with fresh output and not with the last commit, so that it can be run
# before one.
check-generated: build
	bin/mintage openapi > bin/openapi.yaml
	diff -u api/openapi.yaml bin/openapi.yaml || { echo "Run 'make generate'."; exit 1; }
	go -C tools run ./licences > bin/dependencies.md
	diff -u docs/dependencies.md bin/dependencies.md || { echo "Run 'make generate'."; exit 1; }
	go mod tidy -diff

bench: ## run the benchmarks (BENCHTIME=1s for steadier figures)
	go test -run '^$$' -bench . -benchtime $(BENCHTIME) -p 1 ./...

# Within the folder, go test does not keep the table to itself.
chaos: setup-tests build ## bring about every fault, again and again (about 10 minutes), and print what was lost
	go test -count=1 -timeout 20m ./internal/store/storetest -run '^TestModel$$' -rapid.checks=2000
	cd internal/e2e && MINTAGE_CHAOS=long MINTAGE_TEST_BINARY=$(CURDIR)/bin/mintage go test -count=1 -run '^TestFault' -timeout 40m

fuzz-short: ## run each fuzz test for a moment (FUZZTIME=5m for longer)
	@list=$$(go test -list '^Fuzz' ./...) || { echo "$$list"; exit 1; }; \
	echo "$$list" | awk '/^Fuzz/ { names[++n] = $$1 } \
		/^ok/ { for (i = 1; i <= n; i++) print $$2, names[i]; n = 0 }' | \
	while read -r package name; do \
		echo "$$package $$name"; \
		go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "$$package" </dev/null || exit 1; \
	done

screenshots: setup-tests build ## write a picture of every page (PICTURES=docs/screenshots)
	MINTAGE_PICTURES=$(abspath $(PICTURES)) MINTAGE_TEST_BINARY=$(CURDIR)/bin/mintage go test -tags screenshots -count=1 -run '^TestScreenshots$$' -timeout 10m ./internal/e2e

setup-tests: ## install what the tests need (as root on Debian), or say what is missing
	@sh tools/setup-tests.sh
