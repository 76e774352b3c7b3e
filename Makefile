# `make help` lists the targets. Only Go is needed; the tools of lint, fmt and
# bench are pinned in hack/tools/go.mod and built into bin/tools once.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

BINARY   := bin/mesh-controller
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
COMMIT   ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
DATE     ?= $(shell git log -1 --format=%cI 2>/dev/null || echo unknown)
LDFLAGS  := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT) -X main.date=$(DATE)

# What can be set: make fuzz FUZZTIME=10m, make test PKG=./pkg/store/...
PKG      ?= ./...
FUZZTIME ?= 60s
COUNT    ?= 3
BENCH    ?= .
# What make bench compares with.
OLD      ?= test/bench/baseline.txt
SIZES    ?= 50,1000,10000
ROUNDS   ?= 5
MUTANTS  ?=
HOME_DIR ?=
STRIDE   ?= 1
SEEDS    ?= 1000
SEED     ?= 1
STEPS    ?= 200
AGENTS   ?= 20
KILLS    ?= 200
CUTS     ?= 40
MINUTES  ?= 1
FLEET    ?= 200
# Further flags of go test, such as -short or -run=Name.
TESTFLAGS ?=
# A file to which `go test -json` output is appended, for a summary over runs.
TEST_JSON ?=

TOOLS        := bin/tools
GOLANGCI     := $(TOOLS)/golangci-lint
GOFUMPT      := $(TOOLS)/gofumpt
BENCHSTAT    := $(TOOLS)/benchstat
TEST_SUMMARY := $(TOOLS)/testsummary
SUMMARY       = $(TEST_SUMMARY) $(if $(TEST_JSON),-keep $(TEST_JSON))

##@ Build and run

.PHONY: build
build: ## Build bin/mesh-controller: static, reproducible, version from git
	CGO_ENABLED=0 go build -buildvcs=false -trimpath -ldflags '$(LDFLAGS)' -o $(BINARY) ./cmd/controller

.PHONY: run
run: build ## Run the controller on a sandbox tree that it makes (HOME_DIR=dir keeps it there)
	./hack/demo.sh $(HOME_DIR)

.PHONY: clean
clean: ## Remove what was built, the tools too
	rm -rf bin dist

##@ Test

.PHONY: test
test: $(TEST_SUMMARY) ## Run every test that needs nothing but Go (PKG=./pkg/... narrows it down)
	go test -json -shuffle=on $(TESTFLAGS) $(PKG) | $(SUMMARY)

.PHONY: test-race
test-race: $(TEST_SUMMARY) ## The same under the race detector (needs a C compiler)
	CGO_ENABLED=1 go test -json -race -shuffle=on $(TESTFLAGS) $(PKG) | $(SUMMARY)

.PHONY: test-crash
test-crash: $(TEST_SUMMARY) ## Kill, and fail, every changing system call of every order (STRIDE=n: every n-th; Linux on amd64)
	go test -json -count=1 -timeout 90m -tags crash ./test/crash -stride $(STRIDE) | $(SUMMARY)

.PHONY: test-faults
test-faults: $(TEST_SUMMARY) ## Let the machine fail: KILLS (200), power CUTS (40), MINUTES (1) of churn by FLEET (200) agents (root on Linux)
	go test -json -count=1 -timeout 180m -parallel 4 -tags faults ./test/faults -kills $(KILLS) -cuts $(CUTS) -churn $(MINUTES)m -agents $(FLEET) | $(SUMMARY)

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME (60s)
	@for dir in $$(git grep -l --untracked '^func Fuzz' -- '*_test.go' | xargs -r dirname | sort -u); do \
	  for target in $$(go test -list '^Fuzz' "./$$dir" | grep '^Fuzz'); do \
	    echo "== $$dir $$target"; \
	    go test -run '^$$' -fuzz "^$$target\$$" -fuzztime '$(FUZZTIME)' "./$$dir"; \
	  done; \
	done

.PHONY: bench
bench: build $(BENCHSTAT) ## Compare the program with its floor (SIZES, ROUNDS), then the Go benchmarks, run COUNT (3) times, with OLD
	go run ./test/bench -binary $(BINARY) -sizes '$(SIZES)' -rounds '$(ROUNDS)'
	go test -run '^$$' -bench '$(BENCH)' -benchmem -timeout 60m -count $(COUNT) $(PKG) | tee bin/bench.txt
	$(BENCHSTAT) $(OLD) bin/bench.txt

# The parts that need no tree on disk.
PARTS = ^Benchmark(Compute|DecodeManifest|Diff|List|CommitInsert|Queue)$$

.PHONY: baseline
baseline: ## Write anew what make bench compares with; on a quiet machine
	mkdir -p bin
	go test -run '^$$' -bench '$(PARTS)' -benchmem -count 6 ./pkg/agent ./pkg/controller/... ./pkg/sources ./pkg/store > bin/baseline.txt
	mv bin/baseline.txt test/bench/baseline.txt

.PHONY: sim
sim: $(TEST_SUMMARY) ## Simulate SEEDS (1000) runs of STEPS (200) steps and AGENTS (20) agents, from SEED (1) on; enumerate the planner
	go test -json -count=1 -timeout 120m ./test/sim -seeds $(SEEDS) -seed $(SEED) -steps $(STEPS) -agents $(AGENTS) | $(SUMMARY)
	go test -json -count=1 -run 'EveryObservation|OverTime' ./pkg/controller/plan | $(SUMMARY)

.PHONY: mutate
mutate: ## Break guards on purpose and see that a test notices (MUTANTS="store agent" narrows it down)
	./hack/mutate.sh $(MUTANTS)

##@ Check

.PHONY: lint
lint: $(GOLANGCI) ## Run the linters of .golangci.yml
	$(GOLANGCI) run $(PKG)

.PHONY: fmt
fmt: $(GOFUMPT) ## Format every Go file
	$(GOFUMPT) -l -w .

.PHONY: verify
verify: verify-fmt verify-mod verify-generated lint ## All checks that are no tests: format, vet, modules, generated files, lint, policies
	go vet ./...
	go -C third_party/go-conntrack vet ./...
	go test ./internal/archtest

.PHONY: verify-fmt
verify-fmt: $(GOFUMPT)
	@files=$$($(GOFUMPT) -l .); if [ -n "$$files" ]; then echo "not formatted (make fmt):"; echo "$$files"; exit 1; fi

.PHONY: verify-mod
verify-mod:
	go mod verify
	go mod tidy -diff
	go -C hack/tools mod tidy -diff
	go -C third_party/go-conntrack mod tidy -diff

# Compares the tree before and after, so it works with changes in it.
.PHONY: verify-generated
verify-generated:
	@state() { git status --porcelain; git diff; }; \
	before=$$(state | sha256sum); go generate ./...; after=$$(state | sha256sum); \
	if [ "$$before" != "$$after" ]; then echo "go generate changed something:"; git status --short; exit 1; fi

##@ Other

.PHONY: tools
tools: $(GOLANGCI) $(GOFUMPT) $(BENCHSTAT) $(TEST_SUMMARY) ## Build the pinned tools into bin/tools (golangci-lint takes minutes, once)

.PHONY: help
help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(GOLANGCI): hack/tools/go.mod hack/tools/go.sum
	CGO_ENABLED=0 go -C hack/tools build -o ../../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(GOFUMPT): hack/tools/go.mod hack/tools/go.sum
	CGO_ENABLED=0 go -C hack/tools build -o ../../$@ mvdan.cc/gofumpt

$(BENCHSTAT): hack/tools/go.mod hack/tools/go.sum
	CGO_ENABLED=0 go -C hack/tools build -o ../../$@ golang.org/x/perf/cmd/benchstat

$(TEST_SUMMARY): $(filter-out %_test.go,$(wildcard hack/testsummary/*.go))
	go build -buildvcs=false -o $@ ./hack/testsummary
