# `make` lists what there is.

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
TOOL    := CGO_ENABLED=0 go tool -modfile=tools/go.mod
PKG     ?= ./...
RUNS    ?= 1
FOR     ?= 0
SEED    ?= 0
MINUTES ?= 10
KILLS   ?= 100
MUTANT  ?= .
BUGS    ?= 15
PLAYS   ?= 100
SUITES  ?= github.com/yuin/goldmark@v1.8.7 -skip=Performance github.com/goccy/go-yaml@v1.19.2 github.com/spf13/cobra@v1.10.2 -skip=TestFail \
	github.com/rs/zerolog@v1.34.0 -skip=TestWriteReturnsNoOfWrittenBytes

.DEFAULT_GOAL := help
.PHONY: help build demo test faults soak kills mutate hostile suites model blame bench figures cover lint fmt generate clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build bin/lander, a static binary
	@scripts/need go
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/lander ./cmd/lander

demo: ## Build, install what is missing, and play lander on this machine
	@scripts/need go git postgres bubblewrap
	@$(MAKE) --no-print-directory build
	bin/lander demo

test: ## Vet, and run all tests with the race detector (PKG=./internal/queue for one package)
	@scripts/need go cc git postgres bubblewrap
	@scripts/test $(PKG)

faults: ## Break lander at every step, in every way (RUNS=5, FOR=50m, CELL='intent stored/killed after' SEED=7)
	@scripts/need go git postgres
	go test -v -count=1 -timeout 24h -run '^TestFaults$$' ./internal/landertest/fleet -grid -runs $(RUNS) -for $(FOR) -cell '$(CELL)' -seed $(SEED) $(FLEET)

soak: ## Keep three landers busy and break something every few seconds (MINUTES=30, SEED=7)
	@scripts/need go git postgres
	@$(MAKE) --no-print-directory build
	go test -v -count=1 -timeout 24h -run '^TestSoak$$' ./internal/landertest/fleet -soak $(MINUTES)m -lander $(CURDIR)/bin/lander -seed $(SEED) $(FLEET)

kills: ## Kill the demo's story with -9 at random moments, resume it, and compare the fates (KILLS=100, SEED=7)
	@scripts/need go git postgres
	@$(MAKE) --no-print-directory build
	go test -v -count=1 -timeout 24h -run '^TestAStoryOutlivesKills$$' ./internal/demo -kills $(KILLS) -seed $(SEED) -lander $(CURDIR)/bin/lander

mutate: ## Take out one defence at a time, and see that a named test turns red (MUTANT='lease|burn')
	@scripts/need go git postgres
	go test -v -count=1 -timeout 24h -run '^TestEveryDefenceIsMissed$$' ./internal/landertest/mutants -mutants '$(MUTANT)'

hostile: ## Let each hostile suite be run by root's lander and by an ordinary user's (as root; make test has one of the two for each)
	@scripts/need go git bubblewrap
	go test -v -count=1 -timeout 1h -run 'Sandbox|Flood|Outside|FirstProcess|Denied|Network|Secrets|Caches' ./internal/testrun -everyone

suites: ## Put bugs into Go modules, and see what a rerun costs and whom it names (BUGS=40 SUITES='github.com/yuin/goldmark@v1.8.7' SEED=7)
	@scripts/need go
	go test -v -count=1 -timeout 24h -run '^TestSuites$$' ./internal/testrun -suites '$(SUITES)' -suitebugs $(BUGS) -suiteseed $(if $(filter 0,$(SEED)),1,$(SEED))

model: ## Search every state of a landing, its replicas and what goes wrong, at the large sizes
	@scripts/need go
	go test -v -count=1 -timeout 24h -run '^TestModel$$|^TestTheModelSees$$' ./internal/queue -model

blame: ## Play made-up truths (broken, flaky, a red trunk, a dying machine) with batches of 1 to 8, and count who is dropped for nothing (PLAYS=100)
	@scripts/need go
	go test -v -count=1 -timeout 24h -run '^TestWhoseFaultItIs$$' ./internal/queue -blame $(PLAYS)

bench: ## Run the benchmarks
	@scripts/need go git postgres bubblewrap
	go test -run '^$$' -bench . $(PKG)

# Rates that show where each strategy ends, with 1, 4 and 16 runs of 20 minutes at a time.
RATES := $(foreach r,1 2 3 4 6 8 10 12 20 30,--cell $(r),20m,1) $(foreach r,4 6 8 10 12 16 24,--cell $(r),20m,4) \
	$(foreach r,15 24 30 36 42 48 60 90,--cell $(r),20m,16)

# Where changes are bad more often, and where runs are red by chance.
SWEEP := --strategy lander --cell 12,20m,4 --cell 30,20m,8 --cell 60,20m,32

figures: ## Simulate lander and other merge queues: the tables and the picture in docs/
	@scripts/need go
	@$(MAKE) --no-print-directory build
	bin/lander simulate $(RATES) --svg docs/turnaround.svg > docs/turnaround.txt
	bin/lander simulate > docs/chain.txt
	bin/lander simulate $(SWEEP) --p 0.01,0.02,0.05,0.1,0.2 > docs/sweeps.txt
	bin/lander simulate $(SWEEP) --flake 0,0.02,0.05,0.1 >> docs/sweeps.txt
	bin/lander simulate --suite areas > docs/areas.txt

cover: ## Measure which statements the tests reach; coverage.html shows them
	@scripts/need go git postgres bubblewrap
	go test -coverpkg=./... -coverprofile=coverage.out $(PKG)
	go tool cover -html=coverage.out -o coverage.html
	@go tool cover -func=coverage.out | tail -n 1

lint: ## Check style, the import law and the generated code; the first time it builds its tools
	@scripts/need go
	$(TOOL) golangci-lint run
	$(TOOL) sqlc diff

fmt: ## Format all Go code
	@scripts/need go
	$(TOOL) gofumpt -l -w cmd internal sql *.go

generate: ## Write the Go code for the SQL queries
	@scripts/need go
	$(TOOL) sqlc generate

clean: ## Remove what was built
	rm -rf bin coverage.out coverage.html
