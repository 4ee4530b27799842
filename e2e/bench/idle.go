package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// idle is the resident memory in KB that each of many idle kept-alive
// connections adds, after one request on each.
func idle(secure bool) func(*bench, *subject) (sample, error) {
	return func(b *bench, s *subject) (sample, error) {
		before := s.rss()
		conns := make([]net.Conn, 0, b.many)
		defer func() {
			for _, c := range conns {
				c.Close()
			}
		}()
		for range b.many {
			c, err := net.Dial("tcp", b.address())
			if err != nil {
				return sample{}, err
			}
			conns = append(conns, c)
			if secure {
				c = tls.Client(c, &tls.Config{InsecureSkipVerify: true}) // it is our own
				conns[len(conns)-1] = c
			}
			if err := oneRequest(c); err != nil {
				return sample{}, fmt.Errorf("idle connection: %w", err)
			}
		}
		used := s.rss() - before
		runtime.KeepAlive(conns)
		return sample{figure: float64(used) / float64(len(conns))}, nil
	}
}

func (b *bench) address() string { return "127.0.0.1:" + strconv.Itoa(b.place.port) }

// request is one request on a connection of its own, and how long it took.
func (b *bench) request() (time.Duration, error) {
	begun := time.Now()
	c, err := net.Dial("tcp", b.address())
	if err != nil {
		return 0, err
	}
	defer c.Close()
	return time.Since(begun), oneRequest(c)
}

func oneRequest(c net.Conn) error {
	c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.Copy(c, strings.NewReader("GET /1k HTTP/1.1\r\nHost: bench\r\n\r\n")); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
