package main

import (
	"crypto/tls"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// clients is how many do handshakes at a time.
const clients = 8

// handshakes does whole TLS handshakes, with a request each, for some time.
// wrk is no use for it: it goes on with old sessions.
func handshakes(address string, d time.Duration) (result, error) {
	var n atomic.Int64
	var failed error
	var once sync.Once
	var wg sync.WaitGroup
	begun := time.Now()
	for range clients {
		wg.Go(func() {
			for time.Since(begun) < d {
				c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true}) // it is our own
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
	return result{int(n.Load()), float64(n.Load()) / time.Since(begun).Seconds()}, failed
}
