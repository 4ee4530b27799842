package syslog

import (
	"bytes"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// listen is a UDP reader and the lines it gets, in order.
func listen(t *testing.T, network string) (address string, next func(n int) []string) {
	t.Helper()
	conn, err := net.ListenPacket(network, "localhost:0")
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.LocalAddr().String(), func(n int) (got []string) {
		buf := make([]byte, 70000)
		conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		for range n {
			k, _, err := conn.ReadFrom(buf)
			if err != nil {
				t.Fatalf("after %d of %d lines: %v", len(got), n, err)
			}
			got = append(got, string(buf[:k]))
		}
		return got
	}
}

// together lays lines one behind the other.
func together(lines []string) (text []byte, ends []int) {
	for _, l := range lines {
		text = append(text, l...)
		ends = append(ends, len(text))
	}
	return text, ends
}

func TestManyLinesArriveAsTheyAreInOrder(t *testing.T) {
	var mixed, equal, long []string
	for i := range 150 {
		mixed = append(mixed, fmt.Sprintf("line %d %s", i, strings.Repeat("x", i/3%7)))
		equal = append(equal, fmt.Sprintf("line %04d", i))
	}
	for i := range 12 {
		long = append(long, fmt.Sprintf("%03d%s", i, strings.Repeat("y", 9000)))
	}
	for _, network := range []string{"udp4", "udp6"} {
		address, next := listen(t, network)
		for name, limit := range map[string]int32{"cut by the system": 65000, "one by one": 0} {
			for what, lines := range map[string][]string{"mixed": mixed, "equal": equal, "long": long, "one": equal[:1], "none": nil} {
				t.Run(network+" "+name+" "+what, func(t *testing.T) {
					s := open(t, "udp", address)
					s.segment.Store(min(limit, s.segment.Load()))
					text, ends := together(lines)
					if lost := s.SendMany(text, ends); lost != 0 {
						t.Fatalf("%d lines lost", lost)
					}
					if got := next(len(lines)); !slices.Equal(got, lines) {
						t.Errorf("got %.200q, want %.200q", got, lines)
					}
					if got := s.Sent(); got != uint64(len(lines)) {
						t.Errorf("%d lines sent, want %d", got, len(lines))
					}
				})
			}
		}
	}
}

func TestLinesThatCannotGoTogetherGoAloneFromThenOn(t *testing.T) {
	address, next := listen(t, "udp4")
	s := open(t, "udp", address)
	if s.segment.Load() == 0 {
		t.Skip("this system has no UDP_SEGMENT")
	}
	// Without checksums the system cuts nothing, as on the way through a
	// device that computes none.
	if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_NO_CHECK, 1); err != nil {
		t.Fatal(err)
	}
	for _, lines := range [][]string{{"four", "five", "threes", "others"}, {"nine", "zero"}} {
		text, ends := together(lines)
		if lost := s.SendMany(text, ends); lost != 0 {
			t.Fatalf("%d lines lost", lost)
		}
		if got := next(len(lines)); !slices.Equal(got, lines) {
			t.Errorf("got %q, want %q", got, lines)
		}
		if got := s.segment.Load(); got != 3 {
			t.Errorf("lines of up to %d bytes go together, want 3", got)
		}
	}
}

func TestWhoIsRefusedCountsEachLine(t *testing.T) {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, "udp", conn.LocalAddr().String())
	conn.Close()
	limit := s.segment.Load()
	text, ends := together([]string{"one", "two", "ten"})
	s.SendMany(text, ends)
	lost := s.SendMany(text, ends)
	if s.Sent()+s.Dropped() != 6 || lost > 3 {
		t.Errorf("sent %d, dropped %d, of six lines", s.Sent(), s.Dropped())
	}
	if got := s.segment.Load(); got != limit {
		t.Errorf("who is refused is sent lines of up to %d bytes together, was %d", got, limit)
	}
}

func TestNothingIsGatheredForAReaderWithAShortQueue(t *testing.T) {
	s := open(t, "fd", "stderr")
	if s.Gathers() {
		t.Error("lines for a descriptor are gathered")
	}
	var out bytes.Buffer
	s.send = func(_ int, line []byte) (errno unix.Errno) { out.Write(line); out.WriteByte('|'); return 0 }
	text, ends := together([]string{"one", "two"})
	if lost := s.SendMany(text, ends); lost != 0 || out.String() != "one|two|" {
		t.Errorf("%d lost, wrote %q", lost, out.String())
	}
}

// A loop sends at the end of every turn: that must not be garbage.
func TestSendingManyLinesAllocatesNothing(t *testing.T) {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s := open(t, "udp", conn.LocalAddr().String())
	text, ends := together([]string{"one", "two", "three", "four"})
	s.SendMany(text, ends)
	if n := testing.AllocsPerRun(100, func() { s.SendMany(text, ends) }); n > 0.5 { // a collection empties the pool
		t.Errorf("%v allocations each time", n)
	}
}

// BenchmarkSendMany sends 25 lines as long as those of requests, to a reader
// that takes none.
func BenchmarkSendMany(b *testing.B) {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	s, err := Open("udp", conn.LocalAddr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	limit := s.segment.Load()
	lines := make([]string, 25)
	for i := range lines {
		lines[i] = fmt.Sprintf("%02d%s", i, strings.Repeat("z", 200))
	}
	text, ends := together(lines)
	go func() {
		buf := make([]byte, 4096)
		for {
			if _, _, err := conn.ReadFrom(buf); err != nil {
				return
			}
		}
	}()
	b.Run("each", func(b *testing.B) {
		for range b.N {
			s.sendEach(text, 0, ends)
		}
	})
	for name, segment := range map[string]int32{"one call": 0, "cut by the system": limit} {
		b.Run(name, func(b *testing.B) {
			s.segment.Store(segment)
			for range b.N {
				s.SendMany(text, ends)
			}
		})
	}
}
