package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// handshakers is how many do handshakes at a time.
const handshakers = 8

// handshakes measures whole TLS handshakes, with a request each. wrk is no
// use for it: it goes on with old sessions.
func handshakes(b *bench, s *subject) (sample, error) {
	self, err := os.Executable()
	if err != nil {
		return sample{}, err
	}
	return b.cost(s, func(seconds int) (result, error) {
		out, err := exec.Command("taskset", "-c", b.loadCPU(), self, "-role", "handshakes",
			"-target", b.address(), "-seconds", strconv.Itoa(seconds)).CombinedOutput()
		if err != nil {
			return result{}, fmt.Errorf("%w: %s", err, out)
		}
		n, err := strconv.Atoi(string(out))
		return result{n, float64(n) / float64(seconds)}, err
	})
}

// runHandshakes does handshakes for so many seconds and prints how many.
func runHandshakes(address string, seconds int, out io.Writer) error {
	var n atomic.Int64
	var failed error
	var once sync.Once
	var wg sync.WaitGroup
	begun := time.Now()
	for range handshakers {
		wg.Go(func() {
			for time.Since(begun) < time.Duration(seconds)*time.Second {
				// The certificate is our own. Both proxies exchange keys in the same
				// way: OpenSSL 3.0 has no ML-KEM, which the other clients of Go ask for.
				c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, CurvePreferences: []tls.CurveID{tls.X25519}})
				if err == nil {
					err = oneRequest(c)
					c.Close()
				}
				if err != nil {
					once.Do(func() { failed = fmt.Errorf("handshake: %w", err) })
					return
				}
				n.Add(1)
			}
		})
	}
	wg.Wait()
	fmt.Fprint(out, n.Load())
	return failed
}
