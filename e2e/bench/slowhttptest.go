package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// attacks are the modes of slowhttptest, which opens -c connections, -r a
// second, and lasts -l seconds.
var attacks = []struct {
	name string
	args []string
}{
	{"slow heads (-H)", []string{"-H", "-i", "1", "-x", "10"}},
	{"slow bodies (-B)", []string{"-B", "-i", "1", "-s", "8192", "-x", "10"}},
	{"ranges (-R)", []string{"-R", "-a", "10", "-b", "3000", "-t", "HEAD"}},
	{"slow reading (-X)", []string{"-X", "-w", "512", "-y", "1024", "-n", "5", "-z", "32", "-k", "3"}},
}

// attackSeconds is how long each lasts; connections and their rate are those
// of its manual's examples, doubled.
const (
	attackSeconds     = 25
	attackConnections = 4000
	attackRate        = 400
)

// besieged is how honest clients fared meanwhile.
type besieged struct {
	asked, failed int
	took          []time.Duration
	memory        int // KB
	cpu           time.Duration
}

// siege runs one attack on one proxy.
func (b *bench) siege(which int, args []string) (besieged, error) {
	k := slowKind{}
	config := filepath.Join(b.dir, "siege.cfg")
	if err := os.WriteFile(config, []byte(k.configuration(b.place)), 0o644); err != nil {
		return besieged{}, err
	}
	sub := &subject{contender: b.proxies[which], cpus: b.proxyCPU(1), config: config}
	if err := b.start(sub); err != nil {
		return besieged{}, err
	}
	defer sub.stop()
	used := sub.cpu()
	cmd := exec.Command("taskset", append([]string{"-c", b.loadCPU(), "slowhttptest", "-v", "1", "-u", "http://" + b.address() + "/64k",
		"-c", strconv.Itoa(attackConnections), "-r", strconv.Itoa(attackRate), "-l", strconv.Itoa(attackSeconds), "-p", "10"}, args...)...)
	said := new(strings.Builder)
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		return besieged{}, err
	}
	over := make(chan error, 1)
	go func() { over <- cmd.Wait() }()
	r := besieged{}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-over:
			r.cpu = sub.cpu() - used
			if err != nil {
				err = fmt.Errorf("slowhttptest: %w: %s", err, tailOf(said.String()))
			}
			return r, err
		case <-tick.C:
		}
		r.memory = max(r.memory, sub.rss())
		r.asked++
		took, err := b.request()
		if err != nil {
			r.failed++
			continue
		}
		r.took = append(r.took, took)
	}
}

// tailOf is the end of what a program said.
func tailOf(said string) string { return said[max(0, len(said)-300):] }

// runSieges measures every attack and prints a table.
func (b *bench) runSieges(out io.Writer) error {
	if _, err := exec.LookPath("slowhttptest"); err != nil {
		return fmt.Errorf("slowhttptest is needed: %w", err)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "slowhttptest, %d connections, %d a second\tproxy\thonest requests\tfailed\tms at p50\tp99\tlongest\tMB\tCPU s\t\n", attackConnections, attackRate)
	var failed []error
	for _, a := range attacks {
		for which, p := range b.proxies {
			r, err := b.siege(which, a.args)
			if err != nil {
				failed = append(failed, fmt.Errorf("%s: %s: %w", p.name, a.name, err))
			}
			slices.Sort(r.took)
			at := func(share float64) float64 {
				if len(r.took) == 0 {
					return 0
				}
				return float64(r.took[int(share*float64(len(r.took)-1))].Microseconds()) / 1000
			}
			fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%.1f\t%.1f\t%.1f\t%d\t%.1f\t\n", a.name, p.name, r.asked, r.failed, at(0.5), at(0.99), at(1), r.memory>>10, r.cpu.Seconds())
		}
	}
	w.Flush()
	return errors.Join(failed...)
}
