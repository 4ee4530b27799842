package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// halfLoad finds out what each proxy can do, for half of the less.
func halfLoad(b *bench, r row) error {
	least := 0.0
	for i := range b.proxies {
		r.measure = wrk("/1k")
		s, err := b.once(i, r, r.shape)
		if err != nil {
			return err
		}
		if least == 0 || s.perSecond < least {
			least = s.perSecond
		}
	}
	b.halfRate = least / 2
	return nil
}

// latency is the time within which 99 of 100 answers came, in microseconds,
// at a steady rate below saturation.
func latency(b *bench, s *subject) (sample, error) {
	log := filepath.Join(b.dir, "latency")
	defer os.Remove(log)
	perClient := strconv.FormatFloat(b.halfRate/float64(b.connections), 'f', 1, 64)
	args := []string{"--h1", "-c", strconv.Itoa(b.connections), "--rps", perClient}
	if _, err := b.h2load(1, args...); err != nil {
		return sample{}, err
	}
	r, err := b.h2load(b.seconds, append(args, "--log-file", log)...)
	if err != nil {
		return sample{}, err
	}
	p99, err := percentile(log, 0.99)
	return sample{p99, r.perSecond}, err
}

// percentile reads h2load's log: a line is the time of the request, the status
// and how long the answer took, both times in microseconds.
func percentile(file string, share float64) (float64, error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var took []float64
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 3 || fields[1] != "200" {
			continue
		}
		us, err := strconv.ParseFloat(fields[2], 64)
		if err != nil {
			return 0, fmt.Errorf("h2load's log: %q: %w", lines.Text(), err)
		}
		took = append(took, us)
	}
	if len(took) == 0 {
		return 0, fmt.Errorf("h2load logged no answer")
	}
	slices.Sort(took)
	return took[int(share*float64(len(took)-1))], nil
}
