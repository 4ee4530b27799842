package main

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// result is what a load generator saw.
type result struct {
	requests  int
	perSecond float64
}

var (
	requestsLine = regexp.MustCompile(`(\d+) requests in`)
	secondsLine  = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	errorsLine   = regexp.MustCompile(`Socket errors.*|Non-2xx.*`)
)

// cost measures processor time per request of a load, after a second of it to
// warm up.
func (b *bench) cost(s *subject, load func(seconds int) (result, error)) (sample, error) {
	if _, err := load(1); err != nil {
		return sample{}, err
	}
	before := s.cpu()
	r, err := load(b.seconds)
	if err != nil {
		return sample{}, err
	}
	if r.requests == 0 {
		return sample{}, fmt.Errorf("no request was answered")
	}
	return sample{float64((s.cpu() - before).Microseconds()) / float64(r.requests), r.perSecond}, nil
}

// wrk is the load of one path, with further options of wrk.
func wrk(path string, more ...string) func(*bench, *subject) (sample, error) {
	return func(b *bench, s *subject) (sample, error) {
		return b.cost(s, func(seconds int) (result, error) { return b.wrk(s.row.shape.bind, path, seconds, more) })
	}
}

func (b *bench) wrk(bind, path string, seconds int, more []string) (result, error) {
	scheme := "http"
	if bind == "ecdsa" || bind == "rsa" {
		scheme = "https"
	}
	args := []string{"-c", b.loadCPU(), "wrk", "-t1", "-c", strconv.Itoa(b.connections), "-d", strconv.Itoa(seconds)}
	args = append(append(args, more...), fmt.Sprintf("%s://127.0.0.1:%d%s", scheme, b.place.port, path))
	out, err := exec.Command("taskset", args...).CombinedOutput()
	if err != nil {
		return result{}, fmt.Errorf("wrk: %w: %s", err, out)
	}
	if bad := errorsLine.Find(out); bad != nil {
		return result{}, fmt.Errorf("wrk: %s", bad)
	}
	m, rate := requestsLine.FindSubmatch(out), secondsLine.FindSubmatch(out)
	if m == nil || rate == nil {
		return result{}, fmt.Errorf("wrk said: %s", out)
	}
	var r result
	r.requests, _ = strconv.Atoi(string(m[1]))
	r.perSecond, _ = strconv.ParseFloat(string(rate[1]), 64)
	return r, nil
}

// manyConnections is wrk with as many connections as there are to be, all of
// them busy.
func manyConnections(b *bench, s *subject) (sample, error) {
	patient := *b
	patient.seconds = max(b.seconds, 5) // the first seconds go by with connecting
	b = &patient
	return wrk("/1k", "-c", strconv.Itoa(b.many), "--timeout", "10")(b, s)
}

var (
	doneLine   = regexp.MustCompile(`(\d+) total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed`)
	finishLine = regexp.MustCompile(`finished in ([\d.]+)s, ([\d.]+) req/s`)
)

// h2load is HTTP/2 with 100 streams on each of four connections.
func h2load(b *bench, s *subject) (sample, error) {
	return b.cost(s, func(seconds int) (result, error) {
		// As many requests as fit: an end by time counts what is under way as
		// failed.
		return b.h2load(seconds, "-c", "4", "-m", "100")
	})
}

func (b *bench) h2load(seconds int, more ...string) (result, error) {
	args := append([]string{"-c", b.loadCPU(), "h2load", "-t", "1", "-D", strconv.Itoa(seconds)}, more...)
	out, err := exec.Command("taskset", append(args, fmt.Sprintf("http://127.0.0.1:%d/1k", b.place.port))...).CombinedOutput()
	if err != nil {
		return result{}, fmt.Errorf("h2load: %w: %s", err, out)
	}
	m, rate := doneLine.FindSubmatch(out), finishLine.FindSubmatch(out)
	if m == nil || rate == nil {
		return result{}, fmt.Errorf("h2load said: %s", out)
	}
	var r result
	r.requests, _ = strconv.Atoi(string(m[3]))
	r.perSecond, _ = strconv.ParseFloat(string(rate[2]), 64)
	if failed, _ := strconv.Atoi(string(m[4])); failed > 0 {
		return r, fmt.Errorf("h2load: %d requests failed", failed)
	}
	return r, nil
}

// checkTime is how long the proxy takes to find nothing wrong with the
// configuration, in seconds.
func checkTime(b *bench, s *subject) (sample, error) {
	if s.check == nil {
		return sample{}, fmt.Errorf("%w: needs -herald", errRefused)
	}
	argv := s.check(s.config)
	begun := time.Now()
	out, err := exec.Command("taskset", append([]string{"-c", s.cpus}, argv...)...).CombinedOutput()
	took := time.Since(begun).Seconds()
	if err != nil && !warned(err) {
		return sample{}, fmt.Errorf("%w: %s: %s", errRefused, s.name, firstError(string(out)))
	}
	return sample{figure: took}, nil
}

// warned reports whether a check ended with warnings only.
func warned(err error) bool {
	exit, ok := err.(*exec.ExitError)
	return ok && exit.ExitCode() == 1
}

// startTime is how long the proxy takes from its start to its first answer,
// in seconds.
func startTime(b *bench, s *subject) (sample, error) {
	begun := time.Now()
	if err := b.start(s); err != nil {
		return sample{}, err
	}
	defer s.stop()
	if _, err := b.request(); err != nil {
		return sample{}, err
	}
	return sample{figure: time.Since(begun).Seconds()}, nil
}
