# The shortest way to everything. `make` alone lists what there is.

RELEASE := -c release -Xswiftc -cross-module-optimization --no-color-diagnostics
ROOST := .build/release/roost

.PHONY: help run test check bench build release clean lint format clients conformance container-test faults faults-matrix \
	simulate mutants fuzz api-test browser-test metrics-test attacks js-test client-test rolling \
	balancer-test deploy-check terminal-test

help:
	@echo 'make run             a Redis, three nodes and a balancer on this machine; Ctrl-C ends them'
	@echo 'make test            build and run the tests'
	@echo 'make check           everything CI does'
	@echo 'make bench           build, and measure one node'
	@echo 'make build           release build: $(ROOST)'
	@echo 'make release         release build that needs no Swift on the machine: .build/static/roost'
	@echo 'make lint, format    say what is badly formatted, or format it'
	@echo 'make faults          faults on real processes: FAULTS=cut-sub,kill-redis SEED=7 SECONDS=60 SEEDS=20'
	@echo 'make faults-matrix   every fault and 20 random seeds, as a Markdown table in .build/faults.md'
	@echo 'make rolling         every node restarted under 1,000 clients, then one added: NODES=4 CLIENTS=1000 SEED=1'
	@echo 'make clients         foreign WebSocket clients talk across two nodes'
	@echo 'make js-test         the JavaScript client, also against a cluster whose connections are cut for 60 s'
	@echo 'make client-test     the Swift client against such a cluster, for a minute'
	@echo 'make terminal-test   roost chat and roost status on a terminal'
	@echo 'make api-test        calls made up from docs/openapi.json, against a real node: SEED=7 CALLS=40'
	@echo 'make browser-test    people in Chromium talk over a cluster that is harmed meanwhile: STORIES="conversation crash"'
	@echo 'make conformance     every Autobahn case against the echo endpoint: CASES="1.* 12.3.*"'
	@echo 'make simulate        a cluster in one thread: SEEDS=n STEPS=m SEED=first'
	@echo 'make fuzz            hostile bytes for SECONDS each (60), two targets at a time: FUZZ=http,frames'
	@echo 'make attacks         attacks on a node where 1,000 clients chat, as a Markdown table: SECONDS=10 each'
	@echo 'make mutants         what the simulation finds when rules are switched off'
	@echo 'make metrics-test    a real Prometheus watches two nodes, with the files of deploy/'
	@echo 'make balancer-test   haproxy and nginx with the files of deploy/, while clients chat and nodes end'
	@echo 'make deploy-check    the files of deploy/ against schemas, tools and the node itself'
	@echo 'make container-test  docker-compose.yml on a real Docker engine'
	@echo 'make clean           forget everything built'

run:
	scripts/install-deps run
	swift build $(RELEASE) --product roost
	exec $(ROOST) cluster --nodes 3

test:
	scripts/install-deps test
	swift build --build-tests
	scripts/swift-test

check:
	scripts/check

bench: build
	$(ROOST) bench fanout --spawn 1 --members 1000 --window 1
	$(ROOST) bench fanout --spawn 1 --members 1000 --window 8
	$(ROOST) bench fanout --spawn 1 --members 1000 --window 32
	$(ROOST) bench fanout --spawn 1 --rooms 100 --members 10 --talk --window 10
	$(ROOST) bench echo --spawn 1 --connections 1000
	$(ROOST) bench connect --spawn 1
	$(ROOST) bench idle --spawn 1 --connections 10000 --join --rooms 1000

build:
	swift build $(RELEASE) --product roost

release:
	swift build $(RELEASE) --product roost --static-swift-stdlib --scratch-path .build/static-build
	mkdir -p .build/static
	strip .build/static-build/release/roost -o .build/static/roost
	@ls -l .build/static/roost

lint:
	scripts/lint

format:
	swift format --in-place --parallel --recursive Sources Tests Package.swift

# FAULTS: names (scripts/faults --list shows them), all, or random.
FAULTS ?= all
SEED ?= 1
SEEDS ?= 1
SECONDS ?= 15

faults:
	scripts/faults $(FAULTS) --seed $(SEED) --seeds $(SEEDS) --seconds $(SECONDS)

faults-matrix:
	scripts/faults-matrix

NODES ?= 4
CLIENTS ?= 1000

rolling:
	scripts/rolling-restart --nodes $(NODES) --clients $(CLIENTS) --rate 100 --seed $(SEED)

clients: build
	scripts/foreign-clients

js-test: build
	scripts/js-test --long

# Every 2 s, thirty times.
client-test: build
	swift build --build-tests
	ROOST_BINARY=$(CURDIR)/$(ROOST) ROOST_CLIENT_CUTS=30 ROOST_CLIENT_PAUSE=2000 \
	  scripts/swift-test --filter SwiftClientCutTests

terminal-test: build
	scripts/terminal-test

# Patterns between blanks, or all.
CASES ?= all

conformance: build
	set -f; scripts/conformance $(CASES)

# As in the rest: SEED is 1 unless given.
CALLS ?= 40

api-test: build
	scripts/api-test $(SEED) $(CALLS)

# Names of stories (Tests/Browser/stories.py); all, and how the pages look, unless some are given.
STORIES ?=

browser-test: build
	scripts/browser-test $(STORIES)

SEEDS ?= 1000
STEPS ?= 2000
SEED ?= 1

simulate:
	swift build $(RELEASE) --product simulate
	.build/release/simulate $(SEEDS) $(STEPS) $(SEED)

mutants:
	scripts/mutants

# FUZZ: names between commas (scripts/fuzz --list), or all.
FUZZ ?= all

fuzz: SECONDS = 60
fuzz:
	scripts/fuzz $(FUZZ) --seconds $(SECONDS)

metrics-test: build
	scripts/metrics-test

attacks: SECONDS = 10
attacks: build
	scripts/install-deps attacks
	scripts/attacks --seconds $(SECONDS)
	scripts/attacks --tokens

balancer-test: build
	scripts/balancer-test

deploy-check: build
	scripts/deploy-check

container-test:
	scripts/container-test

clean:
	rm -rf .build
