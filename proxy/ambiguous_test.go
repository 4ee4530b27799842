package proxy

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"herald/proxy/settings"
)

// honest follows every trial in the same segment.
const honest = "GET /next HTTP/1.1\r\nHost: a\r\nX-Case: @\r\nConnection: close\r\n\r\n"

// witness is an origin that keeps what it gets, byte by byte, and answers
// each request as RFC 9112 reads it.
type witness struct {
	mu   sync.Mutex
	got  []*strings.Builder // one for each connection
	addr string
}

func observe(t *testing.T) *witness {
	r := &witness{}
	r.addr = script(t, r.serve)
	return r
}

func (r *witness) serve(c net.Conn) {
	all := &strings.Builder{}
	r.mu.Lock()
	r.got = append(r.got, all)
	r.mu.Unlock()
	var in string
	for buf := make([]byte, 65536); ; {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		r.mu.Lock()
		all.Write(buf[:n])
		r.mu.Unlock()
		for in += string(buf[:n]); in != ""; {
			m, rest := readings[0].message(in)
			if m.cut {
				break
			}
			if m.bad {
				io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
				return
			}
			in = rest
			reply(c, m.start)
		}
	}
}

// reply answers a request with its own start line.
func reply(c net.Conn, start string) {
	body := start
	if strings.HasPrefix(start, "HEAD ") {
		body = ""
	}
	status := "200 OK"
	if strings.HasPrefix(start, "CONNECT ") {
		status = "405 Method Not Allowed"
	}
	fmt.Fprintf(c, "HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s", status, len(start), body)
}

// of answers the streams that carried the case.
func (r *witness) of(id string) (streams []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range r.got {
		if s := b.String(); strings.Contains(s, id) {
			streams = append(streams, s)
		}
	}
	return streams
}

// A verdict is what became of a trial.
type verdict struct {
	client string // the statuses the client got
	server string // the requests the server got, as RFC 9112 reads them
	unsafe string // why that is unsafe, empty when it is not
}

func (v verdict) String() string { return v.client + "\t" + v.server + "\t" + v.unsafe }

// varies stands for the statuses where HAProxy does now this, now that.
const varies = "varies"

// kind is what matters of a verdict.
func (v verdict) kind() string {
	switch {
	case v.unsafe != "":
		return "unsafe"
	case v.served():
		return "served"
	}
	return "refused"
}

// served reports that the first request was answered by the server.
func (v verdict) served() bool { return strings.HasPrefix(v.client, "200") }

// judge tells what the server made of what it got and the client of what it
// got. What was sent, as RFC 9112 reads it, is what both should see.
func judge(sent string, streams []string, answer []byte) (v verdict) {
	want := readings[0].messages(sent)
	var requests []string
	for _, s := range streams {
		for _, m := range readings[0].messages(s) {
			sum := fmt.Sprintf("%.40s +%d", m.start, len(m.body))
			switch {
			case m.cut:
				sum += " cut"
			case m.bad:
				sum += " bad"
				v.unsafe = "malformed"
			}
			requests = append(requests, sum)
		}
		if by := disagree(s); by != "" {
			v.unsafe = by
		}
		if !asks(want, "/smuggled") && slices.ContainsFunc(readings, func(r reading) bool { return asks(r.messages(s), "/smuggled") }) {
			v.unsafe = "smuggled"
		}
	}
	v.server = quoted(strings.Join(requests, " | "))
	var statuses []string
	in := bufio.NewReader(bytes.NewReader(answer))
	for i := 0; ; i++ {
		method, target := "", ""
		if i < len(want) {
			method, target, _ = strings.Cut(want[i].start, " ")
		}
		resp, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			break
		}
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode/100 == 1 {
			i--
			continue
		}
		statuses = append(statuses, fmt.Sprint(resp.StatusCode))
		if resp.StatusCode == 200 && (i >= len(want) || strings.HasPrefix(target, "/next") != strings.Contains(string(body), "/next")) {
			v.unsafe = "desynchronised"
			if last := want[len(want)-1]; last.bad || last.cut {
				v.unsafe = "served as if it were well formed"
			}
		}
	}
	v.client = strings.Join(statuses, " ")
	return v
}

// asks reports whether one of the requests is for target.
func asks(list []message, target string) bool {
	return slices.ContainsFunc(list, func(m message) bool { return strings.Contains(m.start, " "+target) })
}

// try sends every trial to a proxy in front of the witness.
func try(t *testing.T, addr string, r *witness, list []trial) []verdict {
	t.Helper()
	out := make([]verdict, len(list))
	answers := make([][]byte, len(list))
	id := func(i int) string { return fmt.Sprintf("case-%04d-", i) }
	text := func(i int) string { return strings.ReplaceAll(list[i].send+honest, "X-Case: @", "X-Case: "+id(i)) }
	var wg sync.WaitGroup
	places := make(chan struct{}, 100)
	for i := range list {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			answers[i] = say(t, addr, text(i))
		})
	}
	wg.Wait()
	for i := range list {
		out[i] = judge(text(i), r.of(id(i)), answers[i])
	}
	return out
}

// say sends text and answers everything until the connection ends.
func say(t *testing.T, addr, text string) []byte {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Error(err)
		return nil
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(c, text)
	b, err := io.ReadAll(c)
	if e, late := err.(net.Error); late && e.Timeout() {
		t.Errorf("%.80q: the connection stays", text)
	}
	return b
}

// haproxy runs the installed HAProxy in front of a server, or skips.
func haproxy(t *testing.T, server string) (addr string) {
	t.Helper()
	path, err := exec.LookPath("haproxy")
	if err != nil {
		t.Skip("haproxy is not installed")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = l.Addr().String()
	l.Close()
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	text := "global\n maxconn 2000\ndefaults\n mode http\n retries 0\n http-reuse never\n timeout connect 2s\n timeout client 1s\n timeout server 1s\n timeout http-request 1s\n" +
		"listen web\n bind " + addr + "\n server s1 " + server + "\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-db", "-f", file)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	waitFor(t, func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return addr
}

// strict is the section the trials go through.
func strict(server string) *settings.Proxy {
	p := section(server)
	p.Retries, p.Reuse = 0, settings.ReuseNever
	p.Timeouts = settings.Timeouts{Connect: 2 * time.Second, Client: time.Second, Server: time.Second, HTTPRequest: time.Second}
	return p
}

// recorded reads, or with -update writes, what HAProxy did with the trials.
func recorded(t *testing.T, file string, names []string, run func() []verdict) map[string]string {
	t.Helper()
	if *update && run != nil {
		var b strings.Builder
		seen := run()
		for range 5 { // HAProxy 2.6 takes some malformed trailers or refuses them, as it comes
			for i, v := range run() {
				if v.kind() != seen[i].kind() {
					seen[i] = verdict{client: varies, unsafe: seen[i].unsafe}
				}
			}
		}
		for i, v := range seen {
			fmt.Fprintf(&b, "%s\t%s\n", names[i], v)
		}
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for line := range strings.Lines(string(b)) {
		name, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		want[name] = rest
	}
	return want
}

// parseVerdict is String backwards.
func parseVerdict(s string) (v verdict) {
	parts := strings.SplitN(s, "\t", 3)
	if len(parts) == 3 {
		v.client, v.server, v.unsafe = parts[0], parts[1], parts[2]
	}
	return v
}

const requestVerdicts = "testdata/ambiguous-requests.txt"

func TestNoAmbiguousRequestPassesAndAllThatHAProxyServesCleanlyIsServed(t *testing.T) {
	list := trials()
	if len(list) < 500 {
		t.Fatalf("%d trials, want 500", len(list))
	}
	o := observe(t)
	names := make([]string, len(list))
	for i := range list {
		names[i] = list[i].name
	}
	want := recorded(t, requestVerdicts, names, func() []verdict {
		o := observe(t)
		return try(t, haproxy(t, o.addr), o, list)
	})
	r := serve(t, 1, strict(o.addr))
	var unsafe, theirs, served int
	used := map[string]bool{}
	for i, got := range try(t, r.addr, o, list) {
		name := list[i].name
		text, known := want[name]
		if !known {
			t.Errorf("%s: HAProxy's verdict is not recorded; run with -update", name)
		}
		h := parseVerdict(text)
		if got.unsafe != "" {
			unsafe++
			t.Errorf("%s: passed on unsafely (%s): the client got %s, the server %s; HAProxy %s", name, got.unsafe, got.client, got.server, text)
		}
		switch {
		case h.unsafe != "":
			theirs++
		case h.served() && (got.client != h.client || got.server != h.server):
			if why := onPurpose(name); why == "" || got.served() && why != normalised {
				t.Errorf("%s: got %s %s, HAProxy %s", name, got.client, got.server, text)
			} else {
				used[why] = true
			}
		case onPurpose(name) != "":
			t.Errorf("%s is no exception any more", name)
		}
		if got.served() {
			served++
		}
	}
	for _, p := range purposes {
		if !used[p.why] {
			t.Errorf("nothing is treated otherwise as %s", p.why)
		}
	}
	t.Logf("%d requests: %d served, %d passed on unsafely, HAProxy %d", len(list), served, unsafe, theirs)
}

// The recorded verdicts are those of the HAProxy that is installed, if one is.
func TestTheRecordedVerdictsAreHAProxys(t *testing.T) {
	out, err := exec.Command("haproxy", "-v").Output()
	if err != nil || !bytes.Contains(out, []byte("version 2.6.")) {
		t.Skip("haproxy 2.6 is not installed")
	}
	list, o := trials(), observe(t)
	want := recorded(t, requestVerdicts, nil, nil)
	for i, v := range try(t, haproxy(t, o.addr), o, list) {
		w := parseVerdict(want[list[i].name])
		if w.client != varies && v.kind() != w.kind() {
			t.Errorf("%s: got %s, recorded %s", list[i].name, v, w)
		}
	}
}
