package proxy

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"testing"

	"herald/proxy/settings"
)

// noise is n bytes that no two places of which are alike.
func noise(n int) []byte {
	b := make([]byte, n)
	chacha := rand.NewChaCha8([32]byte{byte(n)})
	chacha.Read(b)
	return b
}

// Bodies arrive whole, whatever their size, framing and direction, and
// whether they are spliced or copied.
func TestBulkArrivesAsItWasSent(t *testing.T) {
	for _, splice := range []bool{true, false} {
		for _, size := range []int{100, 64 << 10, 300_000, 10 << 20} {
			for _, chunked := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d bytes, chunked %v, splice %v", size, chunked, splice), func(t *testing.T) {
					body := noise(size)
					up := make(chan [32]byte, 1)
					o := origin(t, func(w http.ResponseWriter, q *http.Request) {
						got, _ := io.ReadAll(q.Body)
						up <- sha256.Sum256(got)
						if !chunked {
							w.Header().Set("Content-Length", fmt.Sprint(size))
						}
						w.Write(body)
					})
					r := serveWith(t, func(c *settings.Config) { c.Global.NoSplice = !splice }, section(o))
					client := &http.Client{Transport: &http.Transport{}}
					defer client.CloseIdleConnections()
					for range 2 {
						var send io.Reader = &slowReader{body}
						q, _ := http.NewRequest("POST", "http://"+r.addr+"/", send)
						if !chunked {
							q.ContentLength = int64(size)
						}
						resp, err := client.Do(q)
						if err != nil {
							t.Fatal(err)
						}
						got, err := io.ReadAll(resp.Body)
						resp.Body.Close()
						if err != nil || sha256.Sum256(got) != sha256.Sum256(body) {
							t.Errorf("response: %d bytes, %v", len(got), err)
						}
						if <-up != sha256.Sum256(body) {
							t.Error("the request's body was changed")
						}
					}
				})
			}
		}
	}
}

// slowReader gives what it has in pieces of different sizes.
type slowReader struct{ left []byte }

func (s *slowReader) Read(p []byte) (int, error) {
	if len(s.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), 1+len(s.left)%50_000)], s.left)
	s.left = s.left[n:]
	return n, nil
}

// In mode tcp a connection may be bulk both ways, and each side ends for
// itself.
func TestBulkPassesBothWaysInATunnel(t *testing.T) {
	const size = 8 << 20
	there, back := noise(size), noise(size+1)
	got := make(chan [32]byte, 1)
	o := script(t, func(c net.Conn) {
		done := make(chan bool)
		go func() {
			c.Write(back)
			c.(*net.TCPConn).CloseWrite()
			close(done)
		}()
		all, _ := io.ReadAll(c)
		got <- sha256.Sum256(all)
		<-done
	})
	p := section(o)
	p.Mode = settings.TCP
	r := serve(t, 1, p)
	c := r.dial()
	sent := make(chan bool)
	go func() {
		c.Write(there)
		c.CloseWrite()
		close(sent)
	}()
	all, err := io.ReadAll(c)
	if err != nil || sha256.Sum256(all) != sha256.Sum256(back) {
		t.Errorf("from the server: %d bytes, %v", len(all), err)
	}
	<-sent
	if <-got != sha256.Sum256(there) {
		t.Error("to the server: changed")
	}
	row := r.Snapshot().Proxies[0].Rows[0]
	if row.BytesIn != size || row.BytesOut != size+1 {
		t.Errorf("counted %d in, %d out", row.BytesIn, row.BytesOut)
	}
}

// A client that stops in the middle leaves no descriptor behind.
func TestABulkThatIsCutLeavesNothingBehind(t *testing.T) {
	body := noise(16 << 20)
	o := origin(t, func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body)
	})
	r := serve(t, 1, section(o))
	warm := r.dial()
	io.WriteString(warm, get)
	io.CopyN(io.Discard, warm, 8<<20)
	warm.Close()
	r.log.wait(t, ` CD-- `)
	before := descriptors(t)
	for range 20 {
		c := r.dial()
		io.WriteString(c, get)
		io.CopyN(io.Discard, c, 1<<20)
		c.Close()
	}
	waitFor(t, func() bool { return descriptors(t) <= before+2 })
}

// descriptors is how many this process has open.
func descriptors(t *testing.T) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc")
	}
	return len(fds)
}
