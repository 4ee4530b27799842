package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// subject is one proxy under measurement.
type subject struct {
	contender
	row    row
	cpus   string
	config string
	*process
}

// outcome is a row measured: figures by round, of both proxies; small ones
// where the row is about growth.
type outcome struct {
	row   row
	big   [2][]sample
	small [2][]sample
	err   error
}

// errRefused is a proxy that does not take the configuration.
var errRefused = errors.New("not yet")

// measureRow runs the rounds of a row. Neither proxy is always first.
func (b *bench) measureRow(r row) (o outcome) {
	o.row = r
	if r.prepare != nil {
		if o.err = r.prepare(b, r); o.err != nil {
			return o
		}
	}
	rounds := b.rounds
	if r.once {
		rounds = 1
	}
	for round := range rounds {
		for i := range b.proxies {
			which := (i + round) % len(b.proxies)
			if r.name == "collections" && which == haproxy {
				continue
			}
			if r.small != nil {
				plain := r
				plain.measure = wrk("/1k")
				s, err := b.once(which, plain, *r.small)
				if err != nil {
					o.err = err
					return o
				}
				o.small[which] = append(o.small[which], s)
			}
			s, err := b.once(which, r, r.shape)
			if err != nil && which == haproxy && r.of != ratio {
				continue // it is only shown beside herald's figure
			}
			if err != nil {
				o.err = err
				return o
			}
			o.big[which] = append(o.big[which], s)
		}
	}
	return o
}

// once starts a proxy, measures it and stops it.
func (b *bench) once(which int, r row, s shape) (sample, error) {
	p := b.proxies[which]
	b.shapeFile++
	config := filepath.Join(b.dir, fmt.Sprintf("haproxy-%d.cfg", b.shapeFile))
	if err := os.WriteFile(config, []byte(s.configuration(b.place)), 0o644); err != nil {
		return sample{}, err
	}
	defer os.Remove(config)
	if err := s.lists(b.place); err != nil {
		return sample{}, err
	}
	sub := &subject{contender: p, row: r, cpus: b.proxyCPU(s.threads), config: config}
	if r.name == "check" || r.name == "start" {
		return r.measure(b, sub)
	}
	if err := b.start(sub); err != nil {
		return sample{}, err
	}
	defer sub.stop()
	got, err := r.measure(b, sub)
	if err != nil {
		return sample{}, fmt.Errorf("%s: %w", p.name, err)
	}
	return got, nil
}

// start starts the proxy and waits until it answers.
func (b *bench) start(s *subject) error {
	proc, err := start(s.cpus, s.argv(s.config)...)
	if err != nil {
		return err
	}
	s.process = proc
	if err := waitReady(proc, b.place.port); err != nil {
		said := proc.said()
		proc.stop()
		if errors.Is(err, errEnded) {
			return fmt.Errorf("%w: %s: %s", errRefused, s.name, firstError(said))
		}
		return fmt.Errorf("%s: %w: %s", s.name, err, said)
	}
	return nil
}

// firstError is the line of what a proxy said that tells most.
func firstError(said string) string {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	for _, l := range lines {
		if strings.Contains(l, "error") || strings.Contains(l, "failed") || strings.Contains(l, "ALERT") {
			return l
		}
	}
	return lines[0]
}

// alive reports whether the process still runs.
func (p *process) alive() bool {
	f := statFields(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	return len(f) > 0 && f[0] != "Z" && syscall.Kill(p.cmd.Process.Pid, 0) == nil
}
