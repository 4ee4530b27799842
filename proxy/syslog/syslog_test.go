package syslog

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func open(t *testing.T, network, address string) *Sender {
	t.Helper()
	s, err := Open(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func listenUnix(t *testing.T, path string) *net.UnixConn {
	t.Helper()
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func receive(t *testing.T, c net.Conn) string {
	t.Helper()
	b := make([]byte, 70000)
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, err := c.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

func TestLinesGoToAUnixSocketAndToItsNextReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := listenUnix(t, path)
	s := open(t, "unixgram", path)
	if !s.Send([]byte("<14>one")) || receive(t, l) != "<14>one" {
		t.Fatal("first line")
	}
	l.Close() // the reader stops, and its socket with it
	os.Remove(path)
	if s.Send([]byte("lost")) || s.Dropped() != 1 {
		t.Errorf("dropped %d, want 1", s.Dropped())
	}
	l = listenUnix(t, path)
	s.tried = time.Time{} // the second between attempts has passed
	if !s.Send([]byte("two")) || receive(t, l) != "two" || s.Sent() != 2 {
		t.Errorf("sent %d, want 2", s.Sent())
	}
}

func TestALostReaderIsLookedForOnceASecond(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	s := open(t, "unixgram", path) // nobody is there yet
	if s.Send([]byte("lost")) {
		t.Fatal("sent to nobody")
	}
	l := listenUnix(t, path)
	if s.Send([]byte("lost")) {
		t.Error("connected again within the second")
	}
	s.tried = s.tried.Add(-retryEvery)
	if !s.Send([]byte("here")) || receive(t, l) != "here" {
		t.Error("not connected after the second")
	}
}

// A log reader that has stopped reading must cost no request anything.
func TestAReaderThatDoesNotReadCostsLinesAndNoTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	listenUnix(t, path)
	s := open(t, "unixgram", path)
	line := []byte(strings.Repeat("x", 1000))
	start := time.Now()
	for range 5000 {
		s.Send(line)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("5000 lines took %v", took)
	}
	if s.Dropped() == 0 || s.Sent()+s.Dropped() != 5000 {
		t.Errorf("sent %d dropped %d", s.Sent(), s.Dropped())
	}
}

func TestLinesGoByUDP(t *testing.T) {
	for _, host := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := net.ListenPacket("udp", host)
		if err != nil {
			t.Logf("%s: %v", host, err)
			continue
		}
		defer l.Close()
		s := open(t, "udp", l.LocalAddr().String())
		if !s.Send([]byte("<14>one")) || receive(t, l.(*net.UDPConn)) != "<14>one" {
			t.Error(host)
		}
	}
}

// After a refusal the next line is the first that can arrive: it must.
func TestAUDPReaderThatComesBackMissesNoFurtherLine(t *testing.T) {
	l, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	addr := l.LocalAddr().(*net.UDPAddr)
	l.Close()
	s := open(t, "udp", addr.String())
	s.Send([]byte("refused"))
	if l, err = net.ListenUDP("udp", addr); err != nil {
		t.Skipf("the port was taken: %v", err)
	}
	defer l.Close()
	if !s.Send([]byte("here")) || receive(t, l) != "here" {
		t.Error("a line was lost to an earlier line's error")
	}
}

func TestLinesGoToInheritedDescriptors(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	flagsBefore, _ := unix.FcntlInt(w.Fd(), unix.F_GETFL, 0) // Fd makes it blocking
	s := open(t, "fd", strconv.Itoa(int(w.Fd())))
	line := []byte(strings.Repeat("x", 999) + "\n")
	for s.Send(line) {
	}
	if s.Sent() < 4 || s.Dropped() != 1 {
		t.Errorf("sent %d dropped %d", s.Sent(), s.Dropped())
	}
	if flags, _ := unix.FcntlInt(w.Fd(), unix.F_GETFL, 0); flags != flagsBefore {
		t.Errorf("flags of the shared file %#x, were %#x", flags, flagsBefore)
	}
	slow := &Sender{fd: int(w.Fd()), send: writeWhenReady}
	if slow.Send(line) {
		t.Error("wrote into a full pipe")
	}
	got := make([]byte, 4096)
	if _, err := r.Read(got); err != nil {
		t.Fatal(err)
	}
	if !slow.Send(line) {
		t.Error("did not write into a ready pipe")
	}
}

func TestLinesGoToFilesAndSockets(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := open(t, "fd", strconv.Itoa(int(f.Fd())))
	s.Send([]byte("one\n"))
	s.Send(nil)
	s.Send([]byte("two\n"))
	if b, _ := os.ReadFile(f.Name()); string(b) != "one\ntwo\n" {
		t.Errorf("%q", b)
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[1])
	s = open(t, "fd", strconv.Itoa(pair[0]))
	unix.Close(pair[0])
	s.Send([]byte("three"))
	b := make([]byte, 10)
	if n, _ := unix.Read(pair[1], b); string(b[:n]) != "three" {
		t.Errorf("%q", b)
	}
}

func TestTargetsThatCannotBeAreNamed(t *testing.T) {
	for _, r := range []struct{ network, address, want string }{
		{"tcp", "a:1", `unknown network "tcp"`},
		{"fd", "x", "want stdout, stderr or a number"},
		{"fd", "-1", "want stdout, stderr or a number"},
		{"fd", "99999", "fd 99999"},
		{"udp", "127.0.0.1:x", "udp 127.0.0.1:x"},
		{"udp", ":514", "no address"},
	} {
		if _, err := Open(r.network, r.address); err == nil || !strings.Contains(err.Error(), r.want) {
			t.Errorf("%s %s: %v, want %q", r.network, r.address, err, r.want)
		}
	}
}

func TestAPortIsNotNeeded(t *testing.T) {
	for address, port := range map[string]int{"127.0.0.1": 514, "::1": 514, "[::1]": 514, "127.0.0.1:99": 99} {
		_, to, err := resolve(address)
		got := 0
		switch to := to.(type) {
		case *unix.SockaddrInet4:
			got = to.Port
		case *unix.SockaddrInet6:
			got = to.Port
		}
		if err != nil || got != port {
			t.Errorf("%s: port %d %v, want %d", address, got, err, port)
		}
	}
}

func TestManyLoopsSendAtOnceWhileTheReaderChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := listenUnix(t, path)
	s := open(t, "unixgram", path)
	var loops sync.WaitGroup
	for range 4 {
		loops.Go(func() {
			for range 500 {
				s.Send([]byte("line"))
			}
		})
	}
	l.Close()
	os.Remove(path)
	listenUnix(t, path)
	loops.Wait()
	if s.Sent()+s.Dropped() != 2000 {
		t.Errorf("sent %d dropped %d, want 2000 in all", s.Sent(), s.Dropped())
	}
	if err := (&Sender{fd: -1}).Close(); err == nil {
		t.Error("closing nothing is no error")
	}
}

func TestALineCostsNoAllocation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	listenUnix(t, path)
	s := open(t, "unixgram", path)
	line := []byte("line")
	if n := testing.AllocsPerRun(100, func() { s.Send(line) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
