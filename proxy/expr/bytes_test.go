package expr

import (
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"herald/proxy/reference"
)

// Fetches of bytes in mode tcp find what HAProxy 2.6 finds. The file has what
// clients send, a line of hexadecimal each, then expressions with what was
// found in each of them, as values.txt.
func TestBytesHaveTheValuesOfHAProxy(t *testing.T) {
	file := filepath.Join("testdata", "bytes.txt")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var sent [][]byte
	var list []string
	want := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "> "):
			b, err := hex.DecodeString(line[2:])
			if err != nil {
				t.Fatal(err)
			}
			sent = append(sent, b)
		case strings.HasPrefix(line, "\t"):
			e := list[len(list)-1]
			want[e] = append(want[e], strings.TrimSpace(line))
		case line != "" && !strings.HasPrefix(line, "#"):
			list = append(list, line)
		}
	}
	if *update {
		want = askForBytes(t, list, sent)
		b := "# What HAProxy 2.6 finds in what clients send in mode tcp; see bytes_test.go. Written by go test ./proxy/expr -update.\n"
		for _, s := range sent {
			b += "> " + hex.EncodeToString(s) + "\n"
		}
		for _, e := range list {
			b += e + "\n\t" + strings.Join(want[e], "\n\t") + "\n"
		}
		if err := os.WriteFile(file, []byte(b), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var in Input
	for _, e := range list {
		f, err := Parse(e)
		if err != nil {
			t.Errorf("%s: %v", e, err)
			continue
		}
		for i, s := range sent {
			in.Reset()
			in.Source, in.Final, in.Data = netip.MustParseAddrPort("127.0.0.1:40000"), true, slices.Clone(s)
			got := "-"
			if v, out := f.Get(&in); out == Found {
				in.cast(&v, Bin)
				got = hex.EncodeToString(v.Str)
			}
			if got != want[e][i] {
				t.Errorf("%s, %q: %s, want %s", e, s[:min(len(s), 20)], got, want[e][i])
			}
		}
	}
}

// askForBytes has a real HAProxy evaluate all expressions on what is sent, and
// log them.
func askForBytes(t *testing.T, list []string, sent [][]byte) map[string][]string {
	log, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	addr := reference.Address(t)
	var cfg strings.Builder
	fmt.Fprintf(&cfg, "defaults\n mode tcp\n timeout client 5s\n timeout server 5s\n timeout connect 5s\nfrontend f\n bind %s\n log %s len 65535 format raw local0\n tcp-request inspect-delay 3s\n tcp-request content accept if !WAIT_END\n", addr, log.LocalAddr())
	format := "=="
	for i, e := range list {
		fmt.Fprintf(&cfg, " tcp-request content set-var(sess.v%d) %s\n tcp-request content set-var(sess.f%d) int(1) if { var(sess.v%d) -m found }\n", i, quoteWord(e), i, i)
		format += fmt.Sprintf("%%[var(sess.f%d)]:%%[var(sess.v%d),hex,lower];", i, i)
	}
	fmt.Fprintf(&cfg, " log-format %s\n", format)
	reference.Run(t, cfg.String())
	found := map[string][]string{}
	for _, s := range sent {
		c := reference.Dial(t, addr)
		c.Write(s)
		c.(*net.TCPConn).CloseWrite()
		buf := make([]byte, 64<<10)
		log.SetReadDeadline(time.Now().Add(20 * time.Second))
		var line string
		for !strings.Contains(line, "==") {
			n, _, err := log.ReadFrom(buf)
			if err != nil {
				t.Fatal(err)
			}
			line = string(buf[:n])
		}
		c.Close()
		_, line, _ = strings.Cut(line, "==")
		parts := strings.Split(line, ";")
		for i, e := range list {
			is, value, _ := strings.Cut(parts[i], ":")
			if is == "" || is == "-" {
				value = "-"
			}
			found[e] = append(found[e], value)
		}
	}
	return found
}
