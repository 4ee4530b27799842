package main

import (
	"bufio"
	"crypto/tls"
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
	ecdsa, rsa     int            // TLS, by the key of the certificate
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
	for _, to := range []*int{&p.http, &p.tcp, &p.ecdsa, &p.rsa} {
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
func (p ports) configuration(dir string) string {
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
    bind 127.0.0.1:%d ssl crt %s/ecdsa.pem
    bind 127.0.0.1:%d ssl crt %s/rsa.pem
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
`, p.log, p.http, p.ecdsa, dir, p.rsa, dir, p.origins[0], p.origins[1], p.tcp, p.origins[0], p.origins[1])
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

// scenario is one kind of load.
type scenario struct {
	url       string
	handshake string // the address, when handshakes are what is measured
}

func (p ports) scenario(name string) (scenario, error) {
	s, ok := map[string]scenario{
		"http":  {fmt.Sprintf("http://127.0.0.1:%d/1k", p.http), ""},
		"tcp":   {fmt.Sprintf("http://127.0.0.1:%d/1k", p.tcp), ""},
		"https": {fmt.Sprintf("https://127.0.0.1:%d/1k", p.ecdsa), ""},
		"ecdsa": {"", fmt.Sprintf("127.0.0.1:%d", p.ecdsa)},
		"rsa":   {"", fmt.Sprintf("127.0.0.1:%d", p.rsa)},
	}[name]
	if !ok {
		return s, fmt.Errorf("no scenario %q", name)
	}
	return s, nil
}

// load runs wrk, or does handshakes, for some time.
func load(cpus string, s scenario, connections int, d time.Duration) (result, error) {
	if s.handshake != "" {
		return handshakes(s.handshake, d)
	}
	out, err := exec.Command("taskset", "-c", cpus, "wrk", "-t1", "-c", strconv.Itoa(connections), "-d", strconv.Itoa(int(d.Seconds())), s.url).CombinedOutput()
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

// idleMemory is the resident memory in KB that n idle kept-alive connections
// add each, after one request on each.
func idleMemory(p *process, port, n int, secure bool) (float64, error) {
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
		if secure {
			c = tls.Client(c, &tls.Config{InsecureSkipVerify: true}) // it is our own
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
