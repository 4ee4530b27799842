# herald: see README.md. Every target works from a clean clone on Debian 12
# with Go and root; what a target needs from the distribution it installs.

GO      ?= go
export CGO_ENABLED = 0
# The test machines of the product are small: two packages at a time, and the
# end-to-end tests, which measure, by themselves.
TESTFLAGS ?=
FUZZTIME  ?= 20s
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
RELEASED  ?= $(shell git log -1 --format=%cd --date=format:%Y/%m/%d 2>/dev/null)
LDFLAGS    = -s -w -X main.version=$(VERSION) -X main.released=$(RELEASED)

# Packages of the distribution: the programs herald is compared with, and the
# tools of the laboratory.
LAB_TOOLS  = ip:iproute2 nft:nftables keepalived:keepalived haproxy:haproxy killall:psmisc sysctl:procps socat:socat curl:curl
BENCH_TOOLS = haproxy:haproxy wrk:wrk h2load:nghttp2-client

.PHONY: build demo test soak test-servers race fuzz bench bench-slow bench-failover bench-race bench-saturation bench-vrrp-cpu lint docs tools clean

build:
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/herald ./cmd/herald

demo: build
	@./packaging/need $(LAB_TOOLS)
	./bin/herald lab demo

test:
	@./packaging/need $(LAB_TOOLS) $(BENCH_TOOLS)
	$(GO) vet ./...
	$(GO) test -p 2 -timeout 20m $(TESTFLAGS) $$($(GO) list ./... | grep -v /e2e)
	$(GO) test -p 1 -timeout 20m $(TESTFLAGS) ./e2e/...

# Health checks of real servers (about 500 MB of packages), beside HAProxy's.
# Without them `make test` skips these tests and says what is missing.
SERVERS = haproxy:haproxy redis-server:redis-server mariadbd:mariadb-server pg_ctlcluster:postgresql smtpd:opensmtpd slapd:slapd \
	rabbitmq-server:rabbitmq-server
test-servers:
	@./packaging/need $(SERVERS)
	$(GO) test ./e2e/checks -run Real -v

# Faults for minutes: every unruly client at every faulty server, 100,000
# connections, 8,000 slow clients, a log nobody reads.
soak:
	$(GO) test ./proxy -run 'Faults|StoppedLog|SlowClients' -soak large -v -timeout 20m

race:
	@./packaging/need $(LAB_TOOLS) gcc:gcc
	CGO_ENABLED=1 $(GO) test -race -p 2 -timeout 30m $(TESTFLAGS) ./...

# Each fuzz target for FUZZTIME; `go test` runs their seeds in any case.
fuzz:
	@GO=$(GO) FUZZTIME=$(FUZZTIME) ./packaging/fuzz

# Every row of the comparison with its goal, a quarter of an hour;
# BENCHFLAGS=-quick takes three minutes, "-rows tls,h2 -rounds 7" a choice.
BENCHFLAGS ?=
bench: build
	@./packaging/need $(BENCH_TOOLS)
	$(GO) run ./e2e/bench -herald bin/herald $(BENCHFLAGS)

# 10,000 slow clients of every kind: when are they gone, at which cost? Then
# the attacks of slowhttptest, and how honest clients fare meanwhile. On a
# loopback interface of its own, seven minutes.
bench-slow: build
	@./packaging/need $(BENCH_TOOLS) slowhttptest:slowhttptest ip:iproute2
	$(GO) build -o bin/bench ./e2e/bench
	unshare --net sh -c 'ip link set lo up && bin/bench -herald bin/herald -slow $(BENCHFLAGS) && bin/bench -herald bin/herald -slowhttptest $(BENCHFLAGS)'

# How long addresses are gone, beside keepalived with HAProxy: about an hour
# for all rounds of all intervals; ROUNDS and INTERVALS shorten it.
ROUNDS    ?= 5
INTERVALS ?= 1,0.1,0.01
bench-failover: build
	@./packaging/need $(LAB_TOOLS)
	$(GO) run ./e2e/failover -herald bin/herald -rounds $(ROUNDS) -intervals $(INTERVALS)

# Equal priorities, the holder stopped again and again: does a client end up
# with the hardware address of a node that gave way? Half an hour an interval.
RACE_STOPS     ?= 100
RACE_INTERVALS ?= 1,0.1
bench-race: build
	@./packaging/need $(LAB_TOOLS)
	$(GO) run ./e2e/failover -herald bin/herald -race-stops $(RACE_STOPS) -intervals $(RACE_INTERVALS)

# The proxy of the holder, and wrk, take every processor: does an address move?
SATURATE ?= 60s
bench-saturation: build
	@./packaging/need $(LAB_TOOLS) $(BENCH_TOOLS)
	$(GO) run ./e2e/failover -herald bin/herald -saturate $(SATURATE) -intervals 0.01

# What the VRRP process costs while nothing happens, as master and as backup,
# beside keepalived at the same time; backups of both hear the same packets.
LOADS ?= 255@1,50@0.01
bench-vrrp-cpu: build
	@./packaging/need $(LAB_TOOLS)
	$(GO) run ./e2e/failover -herald bin/herald -rounds $(ROUNDS) -cost $(LOADS)

lint:
	@test -z "$$(gofmt -l . | tee /dev/stderr)"
	$(GO) vet ./...

# The keyword references under docs/ are generated from the registries.
docs:
	$(GO) test ./proxy/directive ./vrrp/directive -run Reference -update

clean:
	rm -rf bin
