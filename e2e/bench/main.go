// Command bench compares herald with the packaged HAProxy under the same
// load, in interleaved rounds, and prints one table: each row with its goal
// and whether it is met. Both run the same configuration file with what a
// site has switched on: timeouts, forwardfor, a log line a request by UDP,
// two checked servers.
//
// It measures one proxy at a time on one processor, or on two where a row
// says so, while the load generators (wrk, h2load) and the origin share
// another. It proves nothing about other machines: the ratio is the result,
// not the numbers.
//
//	go run ./e2e/bench -herald bin/herald              # every row, under a quarter of an hour
//	go run ./e2e/bench -herald bin/herald -quick       # under three minutes
//	go run ./e2e/bench -rows keep-alive,tcp -rounds 7  # the engine in a process of its own
//	go run ./e2e/bench -herald bin/herald -slow        # slow clients, ten minutes
//	go run ./e2e/bench -list                           # the rows and their goals
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"herald/proxy/testcert"
)

type options struct {
	role, config, herald string
	rounds, seconds      int
	connections, many    int
	rows                 string
	quick, list          bool
	slow, sieges         bool
	cpus                 string
	profile, target      string
}

func main() {
	var o options
	flag.StringVar(&o.herald, "herald", "", "herald's binary; empty measures the engine alone")
	flag.IntVar(&o.rounds, "rounds", 3, "rounds of each row")
	flag.IntVar(&o.seconds, "seconds", 3, "seconds of load in a round")
	flag.IntVar(&o.connections, "connections", 64, "client connections of the load")
	flag.IntVar(&o.many, "many", 10000, "connections of the rows with many")
	flag.StringVar(&o.rows, "rows", "", "rows to measure, by name; all when empty")
	flag.BoolVar(&o.quick, "quick", false, "one short round of each row")
	flag.BoolVar(&o.slow, "slow", false, "measures slow clients in place of the rows")
	flag.BoolVar(&o.sieges, "slowhttptest", false, "measures honest clients under the attacks of slowhttptest")
	flag.BoolVar(&o.list, "list", false, "lists the rows")
	flag.StringVar(&o.cpus, "cpus", "0,1", "processor of the proxy, processors of load and origin")
	flag.StringVar(&o.role, "role", "", "internal: origin, engine or handshakes")
	flag.StringVar(&o.config, "config", "", "internal: configuration of the engine")
	flag.StringVar(&o.profile, "profile", "", "a file for the CPU profile of the engine, of its last run")
	flag.StringVar(&o.target, "target", "", "internal: address to do handshakes with")
	flag.Parse()
	if o.quick {
		o.rounds, o.seconds, o.many = 1, 1, min(o.many, 2000)
	}
	if err := run(o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(o options, out io.Writer) error {
	switch o.role {
	case "origin":
		return runOrigin(out)
	case "engine":
		return runEngine(o.config, o.profile, out)
	case "handshakes":
		return runHandshakes(o.target, o.seconds, out)
	}
	kinds := o.rows
	if o.slow {
		o.rows = "" // names kinds of clients
	}
	chosen, err := choose(o.rows)
	if err != nil {
		return err
	}
	if o.list {
		for _, r := range chosen {
			fmt.Fprintf(out, "%-18s %s, %s\n", r.name, r.what, r.goalText())
		}
		return nil
	}
	for _, tool := range []string{"wrk", "h2load", "haproxy", "taskset"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s is needed: %w", tool, err)
		}
	}
	b, err := newBench(o)
	if err != nil {
		return err
	}
	defer b.close()
	if o.slow {
		return b.runSlow(out, kinds)
	}
	if o.sieges {
		return b.runSieges(out)
	}
	var table []outcome
	for _, r := range chosen {
		fmt.Fprintf(out, "%s: %s\n", r.name, r.what)
		table = append(table, b.measureRow(r))
	}
	return report(out, table)
}

// bench is one comparison.
type bench struct {
	options
	dir       string
	origin    *process
	place     place
	proxies   [2]contender
	halfRate  float64
	shapeFile int
}

// contender is one proxy to start.
type contender struct {
	name  string
	argv  func(config string) []string
	check func(config string) []string // nil: cannot only check
}

const (
	haproxy = iota
	herald
)

func newBench(o options) (*bench, error) {
	limit, err := descriptorLimit()
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "herald-bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{options: o, dir: dir}
	b.place.maxConn = (limit - spareDescriptors) / 2
	b.many = min(b.many, b.place.maxConn)
	b.proxies[haproxy] = contender{"haproxy",
		func(c string) []string { return []string{"haproxy", "-db", "-f", c} },
		func(c string) []string { return []string{"haproxy", "-c", "-f", c} }}
	b.proxies[herald] = contender{"herald",
		func(c string) []string { return []string{self, "-role", "engine", "-config", c, "-profile", o.profile} }, nil}
	if o.herald != "" {
		b.proxies[herald].argv = func(c string) []string {
			return []string{o.herald, "run", "--haproxy", c, "--run-dir", filepath.Join(dir, "run")}
		}
		b.proxies[herald].check = func(c string) []string { return []string{o.herald, "check", "--haproxy", c} }
	}
	if err := b.prepare(self); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

// spareDescriptors are for listeners, checks and logs: a proxy needs two for
// each connection beside them.
const spareDescriptors = 1000

// descriptorLimit raises the limit as far as it is allowed, for the load and
// the origin too.
func descriptorLimit() (int, error) {
	limit := syscall.Rlimit{Cur: 61000, Max: 61000}
	if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit) == nil {
		return int(limit.Cur), nil
	}
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("limit of descriptors: %w", err)
	}
	limit.Cur = limit.Max
	return int(limit.Cur), syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}

// prepare makes the certificates and starts the origin.
func (b *bench) prepare(self string) error {
	ca := testcert.NewAuthority("bench")
	for name, rsa := range map[string]bool{"ecdsa.pem": false, "rsa.pem": true} {
		bundle := ca.Issue(testcert.Request{Names: []string{"bench.example"}, RSA: rsa}).Bundle
		if err := os.WriteFile(filepath.Join(b.dir, name), bundle, 0o600); err != nil {
			return err
		}
	}
	var err error
	if err = b.place.choose(b.dir); err != nil {
		return err
	}
	if b.origin, err = start(b.loadCPU(), self, "-role", "origin"); err != nil {
		return err
	}
	for i := range b.place.origins {
		if b.place.origins[i], err = b.origin.line(); err != nil {
			return fmt.Errorf("origin: %w", err)
		}
	}
	return nil
}

func (b *bench) close() {
	if b.origin != nil {
		b.origin.stop()
	}
	if b.place.sink != nil {
		b.place.sink.Close()
	}
	os.RemoveAll(b.dir)
}

// proxyCPU is where a proxy with so many threads runs.
func (b *bench) proxyCPU(threads int) string {
	cpu, rest, _ := strings.Cut(b.cpus, ",")
	if threads > 1 {
		return cpu + "," + rest
	}
	return cpu
}

func (b *bench) loadCPU() string { _, cpu, _ := strings.Cut(b.cpus, ","); return cpu }
