package lab

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Saturation is what a proxy under more load than the machine can carry did to
// the addresses beside it.
type Saturation struct {
	// Changes are the address changes of all controllers meanwhile: nobody
	// failed, so each is a false failover or its way back.
	Changes int
	// Requests is how many were answered per second, as wrk counts.
	Requests float64
	// Busy is the share of the machine's processor time in use, 0 to 1.
	Busy float64
}

// Saturate has wrk, on the client, ask the HTTP service on the inside address
// as fast as it can for a while, with four times as many connections as a
// proxy needs to fill every processor.
func (c *Cluster) Saturate(ctx context.Context, while time.Duration) (Saturation, error) {
	var s Saturation
	cpus := runtime.NumCPU()
	at, before := time.Now(), busyTime()
	out, err := c.Client().Exec("wrk", "-t", fmt.Sprint(cpus), "-c", fmt.Sprint(64*cpus), "-d", fmt.Sprintf("%ds", int(while.Seconds())),
		fmt.Sprintf("http://%s:%d/", InsideVirtual, HTTPPort))
	if err != nil {
		return s, err
	}
	elapsed := time.Since(at)
	s.Busy = (busyTime() - before).Seconds() / (elapsed.Seconds() * float64(cpus))
	s.Changes = len(c.Changes(at))
	if s.Requests = requestsPerSecond(out); s.Requests == 0 {
		return s, fmt.Errorf("saturate: wrk had no answers: %s", out)
	}
	return s, ctx.Err()
}

var wrkRate = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)

func requestsPerSecond(said string) float64 {
	m := wrkRate.FindStringSubmatch(said)
	if m == nil {
		return 0
	}
	rate, _ := strconv.ParseFloat(m[1], 64)
	return rate
}

// busyTime is the processor time the machine has used, from the first line of
// /proc/stat (proc_stat(5)): all but idle and iowait, in hundredths of a second.
func busyTime() time.Duration {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	var busy int64
	for i, word := range strings.Fields(line) {
		// cpu user nice system idle iowait irq softirq steal, then guests
		// that user and nice count already.
		if i == 0 || i == 4 || i == 5 || i > 8 {
			continue
		}
		n, _ := strconv.ParseInt(word, 10, 64)
		busy += n
	}
	return time.Duration(busy) * 10 * time.Millisecond
}
