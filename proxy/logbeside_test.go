package proxy

import (
	"fmt"
	"io"
	"net"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"herald/proxy/reference"
	"herald/proxy/settings"
)

// overhear is a syslog server whose lines go to log until the test ends.
func overhear(t *testing.T, log *lines) (addr string) {
	t.Helper()
	sock, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var reader sync.WaitGroup
	reader.Go(func() {
		for buf := make([]byte, 4096); ; {
			n, _, err := sock.ReadFrom(buf)
			if err != nil {
				return
			}
			log.Send(buf[:n])
		}
	})
	t.Cleanup(func() {
		sock.Close()
		reader.Wait()
	})
	return sock.LocalAddr().String()
}

// logged waits for n lines of requests and answers them, each number of bytes
// as 0 or +, and of milliseconds too: one that did not wait may have had to on a
// loaded machine.
func logged(t *testing.T, log *lines, n int, waited bool) (all []string) {
	t.Helper()
	waitFor(t, func() bool {
		log.mu.Lock()
		defer log.mu.Unlock()
		all = all[:0]
		for _, l := range log.all {
			if _, l, ok := strings.Cut(l, "> "); ok {
				l = regexp.MustCompile(`=[1-9][0-9]*`).ReplaceAllString(strings.TrimSpace(l), "=+")
				if l = strings.NewReplacer("request=+", "request=0", "all=+", "all=0").Replace(l); !waited {
					l = strings.Replace(l, "idle=+", "idle=0", 1)
				}
				all = append(all, l)
			}
		}
		return len(all) >= n
	})
	return all
}

// Lines about requests that nobody serves tell what HAProxy's do.
func TestTheLogOfRequestsThatNobodyServesIsHAProxys(t *testing.T) {
	const format = "> idle=%Ti request=%TR all=%Tq read=%U status=%ST %ts"
	says := func(text string) func(*net.TCPConn) {
		return func(c *net.TCPConn) {
			io.WriteString(c, text)
			c.CloseWrite()
			io.Copy(io.Discard, c)
		}
	}
	waits := func(c *net.TCPConn) { // longer than a millisecond, and says nonsense
		c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		c.Read(make([]byte, 1))
		c.SetReadDeadline(time.Now().Add(5 * time.Second))
		io.WriteString(c, "GET / HT\r\n\r\n")
		io.Copy(io.Discard, c)
	}
	for _, tc := range []struct {
		name    string
		backend bool
		waits   bool
		client  func(*net.TCPConn)
		want    []string
	}{
		{"no backend", false, false, says(get), []string{"idle=0 request=-1 all=-1 read=+ status=+ SC"}},
		{"no server", true, false, says(get), []string{"idle=0 request=0 all=0 read=+ status=+ SC"}},
		{"two in one segment", true, false, says(get + get), slices.Repeat([]string{"idle=0 request=0 all=0 read=+ status=+ SC"}, 2)},
		{"nonsense after a while", true, true, waits, []string{"idle=+ request=-1 all=-1 read=+ status=+ PR"}},
		{"nothing", true, false, says(""), []string{"idle=0 request=-1 all=-1 read=0 status=+ CR"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := section()
			p.Backend, p.LogFormat, p.LogFormatText = tc.backend, settings.LogCustom, format
			r := serve(t, 1, p)
			tc.client(r.dial())
			got := logged(t, r.log, len(tc.want), tc.waits)
			if !slices.Equal(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if _, err := exec.LookPath("haproxy"); err != nil {
				return
			}
			theirs, kind := newLines(), "listen"
			if !tc.backend {
				kind = "frontend"
			}
			addr := reference.Address(t)
			reference.Run(t, fmt.Sprintf("global\n log %s local0\ndefaults\n mode http\n log global\n timeout connect 1s\n timeout client 5s\n timeout server 5s\n%s l\n bind %s\n log-format %q\n"+
				"frontend ready\n bind %[5]s\n no log\n", overhear(t, theirs), kind, addr, format, reference.Address(t)))
			tc.client(reference.Dial(t, addr).(*net.TCPConn))
			got = logged(t, theirs, len(tc.want), tc.waits)
			for i := range got { // it counts no bytes of what it does not understand
				got[i] = strings.Replace(got[i], "read=0 status=+ PR", "read=+ status=+ PR", 1)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("HAProxy logs %q, want %q", got, tc.want)
			}
		})
	}
}
