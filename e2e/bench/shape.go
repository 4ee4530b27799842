package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// shape is what a row wants of the configuration both proxies run.
type shape struct {
	bind     string // http, h2, ecdsa, rsa or tcp
	threads  int    // 0: one
	large    bool   // 64 KB buffers and splice: HAProxy's best for bulk
	many     bool   // as many connections as descriptors allow
	backends int    // beside the one in use
	servers  int    // in the backend in use; 0: two
	lines    int    // at least so many lines
	patterns int    // in each of three files that every request is compared with
}

// place is where everything is, on loopback.
type place struct {
	dir     string
	port    int
	maxConn int
	log     int
	sink    net.PacketConn // of the log
	origins [2]string
}

// choose takes free ports.
func (p *place) choose(dir string) error {
	// What counts is that every line of the log is made and sent: nobody reads
	// this socket.
	sink, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	p.dir, p.sink = dir, sink
	p.log = sink.LocalAddr().(*net.UDPAddr).Port
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	p.port = l.Addr().(*net.TCPAddr).Port
	return l.Close()
}

// binds are the options of the bind line by the kind of listener. Both sides
// encrypt with AES-128: OpenSSL would choose AES-256 by itself.
var binds = map[string]string{
	"http":  "",
	"tcp":   "",
	"h2":    " proto h2",
	"ecdsa": " ssl crt %s/ecdsa.pem ssl-min-ver TLSv1.3 ciphersuites TLS_AES_128_GCM_SHA256",
	"rsa":   " ssl crt %s/rsa.pem ssl-min-ver TLSv1.3 ciphersuites TLS_AES_128_GCM_SHA256",
}

func (s shape) configuration(p place) string {
	var t strings.Builder
	maxConn := 2000
	if s.many {
		maxConn = p.maxConn
	}
	fmt.Fprintf(&t, "global\n    maxconn %d\n    nbthread %d\n    log 127.0.0.1:%d local0\n", maxConn, max(s.threads, 1), p.log)
	if s.large {
		t.WriteString("    tune.bufsize 65536\n")
	}
	mode, log := "http", "httplog"
	if s.bind == "tcp" {
		mode, log = "tcp", "tcplog"
	}
	fmt.Fprintf(&t, `defaults
    mode %s
    log global
    option %s
    maxconn %d
    timeout connect 5s
    timeout client 50s
    timeout server 50s
`, mode, log, maxConn)
	if mode == "http" {
		t.WriteString("    option forwardfor\n    timeout http-request 10s\n")
	}
	if s.large {
		t.WriteString("    option splice-auto\n")
	}
	options := binds[s.bind]
	if strings.Contains(options, "%s") {
		options = fmt.Sprintf(options, p.dir)
	}
	fmt.Fprintf(&t, "frontend front\n    bind 127.0.0.1:%d%s\n    default_backend origins\nbackend origins\n", p.port, options)
	if s.patterns > 0 {
		front := "    use_backend none if { src -f %[1]s/nets%[2]d.lst }\n    use_backend none if { path -m beg -f %[1]s/paths%[2]d.lst }\n" +
			"    use_backend none if { hdr(host),lower,map(%[1]s/hosts%[2]d.map) -m found }\n"
		body := t.String()
		t.Reset()
		t.WriteString(strings.Replace(body, "    default_backend", fmt.Sprintf(front, p.dir, s.patterns)+"    default_backend", 1))
	}
	for i := range max(s.servers, 2) {
		inter := ""
		if s.servers > 2 {
			inter = " inter 60s"
		}
		fmt.Fprintf(&t, "    server s%d %s check%s\n", i, p.origins[i%2], inter)
	}
	if s.patterns > 0 {
		t.WriteString("backend none\n")
	}
	for i := range s.backends {
		fmt.Fprintf(&t, "backend b%d\n    balance leastconn\n    server a %s check inter 60s\n    server b %s check inter 60s\n", i, p.origins[0], p.origins[1])
	}
	s.fill(&t, p)
	return t.String()
}

// lists writes the files of patterns: networks, beginnings of paths, and a map
// of hosts, none of which a request of the measurement has.
func (s shape) lists(p place) error {
	var nets, paths, hosts strings.Builder
	for i := range s.patterns {
		fmt.Fprintf(&nets, "%d.%d.%d.0/24\n", 11+i>>16, i>>8&255, i&255)
		fmt.Fprintf(&paths, "/dir%d/file%d\n", i%1000, i)
		fmt.Fprintf(&hosts, "www%d.site%d.example app%d\n", i%7, i, i%10)
	}
	for name, text := range map[string]string{"nets%d.lst": nets.String(), "paths%d.lst": paths.String(), "hosts%d.map": hosts.String()} {
		if err := os.WriteFile(filepath.Join(p.dir, fmt.Sprintf(name, s.patterns)), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// fill adds backends until there are enough lines, twenty lines each, half of
// them servers.
func (s shape) fill(t *strings.Builder, p place) {
	for i := range s.lines / 20 {
		fmt.Fprintf(t, `# application %d
backend app%d
    balance leastconn
    option httpchk GET /1k
    option redispatch
    retries 2
    timeout connect 4s
    timeout server 30s
    timeout queue 10s
    default-server inter 60s fall 3 rise 2 maxconn 200
`, i, i)
		for j := range 10 {
			fmt.Fprintf(t, "    server app%d-%d %s weight %d check\n", i, j, p.origins[j%2], 1+j)
		}
	}
}
