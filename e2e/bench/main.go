// Command bench compares herald with the packaged HAProxy under the same
// load: HTTP keep-alive and mode tcp, 1 KB responses, the same configuration
// file, in interleaved rounds. It prints requests per second, processor time
// per request and memory per idle connection as ratios.
//
// It measures one proxy at a time on one processor while the load generator
// (wrk) and the origin run on another, and proves nothing about other
// machines: the ratio is the result, not the numbers.
//
//	go run ./e2e/bench                       # the engine in a process of its own
//	go run ./e2e/bench -herald bin/herald    # the whole program
//	go run ./e2e/bench -rounds 7 -seconds 5 -idle 0
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"herald/proxy/testcert"
)

type options struct {
	role, config, herald string
	rounds, seconds      int
	connections, idle    int
	idleTLS              int
	scenarios            string
	cpus                 string
	profile              string
}

func main() {
	var o options
	flag.StringVar(&o.herald, "herald", "", "herald's binary; empty measures the engine alone")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds of each scenario")
	flag.IntVar(&o.seconds, "seconds", 3, "seconds of load in a round")
	flag.IntVar(&o.connections, "connections", 64, "client connections of the load")
	flag.IntVar(&o.idle, "idle", 2000, "idle connections to measure memory with; 0 leaves it out")
	flag.IntVar(&o.idleTLS, "idle-tls", 0, "idle encrypted connections to measure memory with; 0 leaves it out")
	flag.StringVar(&o.scenarios, "scenarios", "http,tcp", "what to measure: http, tcp, https (kept-alive TLS), ecdsa, rsa (handshakes)")
	flag.StringVar(&o.cpus, "cpus", "0,1", "processor of the proxy, processors of load and origin")
	flag.StringVar(&o.role, "role", "", "internal: origin or engine")
	flag.StringVar(&o.config, "config", "", "internal: configuration of the engine")
	flag.StringVar(&o.profile, "profile", "", "internal: CPU profile of the engine")
	flag.Parse()
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
	}
	for _, tool := range []string{"wrk", "haproxy", "taskset"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s is needed: %w", tool, err)
		}
	}
	dir, err := os.MkdirTemp("", "herald-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b, err := newBench(o, dir)
	if err != nil {
		return err
	}
	defer b.close()
	if err := b.rounds(out); err != nil {
		return err
	}
	return b.report(out)
}

// sample is one round of one proxy.
type sample struct {
	perSecond float64
	cpu       float64 // microseconds per request
	rss       float64 // KB at the end
}

// bench is one comparison.
type bench struct {
	options
	dir     string
	origin  *process
	ports   ports
	proxies []contender
	samples map[string]map[string][]sample // scenario, proxy
	perIdle map[string][]float64           // KB
}

// contender is one proxy to start.
type contender struct {
	name string
	argv func(config string) []string
}

func newBench(o options, dir string) (*bench, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	b := &bench{options: o, dir: dir, samples: map[string]map[string][]sample{}, perIdle: map[string][]float64{}}
	b.proxies = []contender{
		{"haproxy", func(c string) []string { return []string{"haproxy", "-db", "-f", c} }},
		{"herald", func(c string) []string {
			if o.herald != "" {
				return []string{o.herald, "run", "--haproxy", c, "--run-dir", filepath.Join(dir, "run")}
			}
			return []string{self, "-role", "engine", "-config", c, "-profile", o.profile}
		}},
	}
	if b.ports, err = freePorts(); err != nil {
		return nil, err
	}
	b.origin, err = start(b.loadCPU(), self, "-role", "origin")
	if err != nil {
		return nil, err
	}
	for i := range b.ports.origins {
		line, err := b.origin.line()
		if err != nil {
			b.close()
			return nil, fmt.Errorf("origin: %w", err)
		}
		b.ports.origins[i] = line
	}
	return b, nil
}

func (b *bench) close() {
	if b.origin != nil {
		b.origin.stop()
	}
	b.ports.sink.Close()
}

func (b *bench) proxyCPU() string { cpu, _, _ := strings.Cut(b.cpus, ","); return cpu }
func (b *bench) loadCPU() string  { _, cpu, _ := strings.Cut(b.cpus, ","); return cpu }

// rounds runs all scenarios against all proxies in turn.
func (b *bench) rounds(out io.Writer) error {
	config := filepath.Join(b.dir, "haproxy.cfg")
	if err := os.WriteFile(config, []byte(b.ports.configuration(b.dir)), 0o644); err != nil {
		return err
	}
	ca := testcert.NewAuthority("bench")
	for name, rsa := range map[string]bool{"ecdsa.pem": false, "rsa.pem": true} {
		if err := os.WriteFile(filepath.Join(b.dir, name), ca.Issue(testcert.Request{Names: []string{"bench.example"}, RSA: rsa}).Bundle, 0o600); err != nil {
			return err
		}
	}
	for round := range b.options.rounds {
		for i := range b.proxies {
			p := b.proxies[(i+round)%len(b.proxies)] // neither is always first
			if err := b.measure(p, config); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
		}
		fmt.Fprintf(out, "round %d of %d\n", round+1, b.options.rounds)
	}
	return nil
}

// measure starts a proxy, loads it with every scenario, and stops it.
func (b *bench) measure(p contender, config string) error {
	proc, err := start(b.proxyCPU(), p.argv(config)...)
	if err != nil {
		return err
	}
	defer proc.stop()
	if err := waitReady(b.ports.http, b.ports.tcp); err != nil {
		return errors.Join(err, fmt.Errorf("it said: %s", proc.said()))
	}
	for _, scenario := range strings.Split(b.scenarios, ",") {
		s, err := b.ports.scenario(scenario)
		if err != nil {
			return err
		}
		if _, err := load(b.loadCPU(), s, b.connections, time.Second); err != nil { // warm
			return err
		}
		before := proc.cpu()
		r, err := load(b.loadCPU(), s, b.connections, time.Duration(b.seconds)*time.Second)
		if err != nil {
			return err
		}
		used := proc.cpu() - before
		if b.samples[scenario] == nil {
			b.samples[scenario] = map[string][]sample{}
		}
		b.samples[scenario][p.name] = append(b.samples[scenario][p.name],
			sample{r.perSecond, float64(used.Microseconds()) / float64(r.requests), float64(proc.rss())})
	}
	if b.idle > 0 {
		kb, err := idleMemory(proc, b.ports.http, b.idle, false)
		if err != nil {
			return err
		}
		b.perIdle[p.name] = append(b.perIdle[p.name], kb)
	}
	if b.idleTLS > 0 {
		kb, err := idleMemory(proc, b.ports.ecdsa, b.idleTLS, true)
		if err != nil {
			return err
		}
		b.perIdle[p.name+" tls"] = append(b.perIdle[p.name+" tls"], kb)
	}
	return nil
}

// report prints medians and ratios.
func (b *bench) report(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\nscenario\tmeasure\thaproxy\therald\tratio\t\n")
	row := func(scenario, measure, format string, of func(sample) float64) {
		h, e := b.median(scenario, "haproxy", of), b.median(scenario, "herald", of)
		fmt.Fprintf(w, "%s\t%s\t"+format+"\t"+format+"\t%.2f\t\n", scenario, measure, h, e, e/h)
	}
	for _, s := range strings.Split(b.scenarios, ",") {
		row(s, "requests/s", "%.0f", func(s sample) float64 { return s.perSecond })
		row(s, "CPU us/request", "%.2f", func(s sample) float64 { return s.cpu })
		row(s, "RSS KB", "%.0f", func(s sample) float64 { return s.rss })
	}
	if b.idle > 0 {
		h, e := median(b.perIdle["haproxy"]), median(b.perIdle["herald"])
		fmt.Fprintf(w, "idle\tKB/connection\t%.2f\t%.2f\t%.2f\t\n", h, e, e/h)
	}
	if b.idleTLS > 0 {
		h, e := median(b.perIdle["haproxy tls"]), median(b.perIdle["herald tls"])
		fmt.Fprintf(w, "idle TLS\tKB/connection\t%.2f\t%.2f\t%.2f\t\n", h, e, e/h)
	}
	return w.Flush()
}

func (b *bench) median(scenario, proxy string, of func(sample) float64) float64 {
	var values []float64
	for _, s := range b.samples[scenario][proxy] {
		values = append(values, of(s))
	}
	return median(values)
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}
