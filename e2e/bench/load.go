package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// ports are where everything listens, on loopback.
type ports struct {
	http, tcp, log int
	sink           net.PacketConn // of the log
	origins        [2]string
}

func freePorts() (ports, error) {
	var p ports
	sink, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return p, err
	}
	p.sink = sink
	p.log = sink.LocalAddr().(*net.UDPAddr).Port
	for _, to := range []*int{&p.http, &p.tcp} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return p, err
		}
		*to = l.Addr().(*net.TCPAddr).Port
		l.Close()
	}
	return p, nil
}

// configuration is what both proxies run. The log goes to a UDP socket that
// is never read: what counts is that every line is made and sent.
func (p ports) configuration() string {
	return fmt.Sprintf(`global
    maxconn 8000
    nbthread 1
    log 127.0.0.1:%d local0
defaults
    mode http
    log global
    option httplog
    timeout connect 5s
    timeout client 50s
    timeout server 50s
    timeout http-request 10s
frontend web
    bind 127.0.0.1:%d
    default_backend origins
    option forwardfor
backend origins
    option forwardfor
    server a %s check
    server b %s check
listen raw
    mode tcp
    option tcplog
    bind 127.0.0.1:%d
    server a %s check
    server b %s check
`, p.log, p.http, p.origins[0], p.origins[1], p.tcp, p.origins[0], p.origins[1])
}

// result is what wrk saw.
type result struct {
	requests  int
	perSecond float64
}

var (
	requestsLine = regexp.MustCompile(`(\d+) requests in`)
	secondsLine  = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	errorsLine   = regexp.MustCompile(`Socket errors.*|Non-2xx.*`)
)

// load runs wrk against a port for some time.
func load(cpus string, port, connections int, d time.Duration) (result, error) {
	out, err := exec.Command("taskset", "-c", cpus, "wrk", "-t1", "-c", strconv.Itoa(connections), "-d", strconv.Itoa(int(d.Seconds())),
		fmt.Sprintf("http://127.0.0.1:%d/1k", port)).CombinedOutput()
	if err != nil {
		return result{}, fmt.Errorf("wrk: %w: %s", err, out)
	}
	if bad := errorsLine.Find(out); bad != nil {
		return result{}, fmt.Errorf("wrk: %s", bad)
	}
	m, s := requestsLine.FindSubmatch(out), secondsLine.FindSubmatch(out)
	if m == nil || s == nil {
		return result{}, fmt.Errorf("wrk said: %s", out)
	}
	var r result
	r.requests, _ = strconv.Atoi(string(m[1]))
	r.perSecond, _ = strconv.ParseFloat(string(s[1]), 64)
	return r, nil
}

// idleMemory is the resident memory in KB that n idle kept-alive connections
// add each, after one request on each.
func idleMemory(p *process, port, n int) (float64, error) {
	before := p.rss()
	conns := make([]net.Conn, 0, n)
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	for range n {
		c, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			return 0, err
		}
		conns = append(conns, c)
		if err := oneRequest(c); err != nil {
			return 0, err
		}
	}
	used := p.rss() - before
	runtime.KeepAlive(conns)
	return float64(used) / float64(n), nil
}

func oneRequest(c net.Conn) error {
	c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.Copy(c, strings.NewReader("GET /1k HTTP/1.1\r\nHost: bench\r\n\r\n")); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return fmt.Errorf("idle connection: %w", err)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
