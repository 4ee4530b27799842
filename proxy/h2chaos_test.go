package proxy

import (
	"bytes"
	"io"
	"math/rand"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"herald/proxy/settings"
)

// whim answers requests in every way a server may, and some it must not.
func whim(rng *rand.Rand, mu *sync.Mutex) http.HandlerFunc {
	pick := func(n int) int {
		mu.Lock()
		defer mu.Unlock()
		return rng.Intn(n)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		switch pick(8) {
		case 0: // without reading
		case 1:
			io.CopyN(io.Discard, r.Body, int64(pick(70000)))
		case 2:
			panic(http.ErrAbortHandler)
		default:
			io.Copy(io.Discard, r.Body)
		}
		if pick(2) == 0 {
			w.Header().Set("Content-Length", strconv.Itoa(200000))
		}
		block := bytes.Repeat([]byte("y"), 20000)
		for range 10 {
			if _, err := w.Write(block); err != nil {
				return
			}
			if pick(3) == 0 {
				w.(http.Flusher).Flush()
			}
			if pick(40) == 0 {
				panic(http.ErrAbortHandler)
			}
		}
	}
}

// Clients do anything on their streams, servers too, over both protocols. The
// engine outlives it, and holds nothing afterwards.
func TestHTTP2OutlivesChaos(t *testing.T) {
	var mu sync.Mutex
	rng := rand.New(rand.NewSource(1))
	one := origin(t, whim(rng, &mu))
	two, _ := h2origin(t, whim(rng, &mu))
	p := section(one, two)
	p.Servers[1].Proto = "h2"
	p.Retries = 1
	p.Servers[0].MaxConn = 20
	p.LogFormat, p.Logs = settings.LogDefault, nil
	p.Timeouts = settings.Timeouts{Connect: time.Second, Client: time.Second, Server: time.Second, Queue: 300 * time.Millisecond,
		HTTPRequest: time.Second, HTTPKeepAlive: time.Second}
	r := serve(t, 2, p)
	var wg sync.WaitGroup
	for seed := range int64(12) {
		wg.Go(func() { anyhow(t, r, rand.New(rand.NewSource(seed))) })
	}
	wg.Wait()
	waitFor(t, func() bool {
		return r.conns.now.Load() == 0 && r.backends[0].sessions.now.Load() == 0 && r.backends[0].line.n.now.Load() == 0 &&
			r.backends[0].targets[0].sessions.now.Load() == 0 && r.backends[0].targets[1].sessions.now.Load() == 0
	})
	for _, w := range r.workers {
		done := make(chan struct{})
		w.l.Post(func() {
			if w.open != nil {
				t.Error("a client is left")
			}
			close(done)
		})
		<-done
	}
	if got := r.exchange("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 ") {
		t.Errorf("afterwards: got %.40q", got)
	}
}

// anyhow is one client.
func anyhow(t *testing.T, r *rig, rng *rand.Rand) {
	for range 4 {
		c, err := net.Dial("tcp", r.addr)
		if err != nil {
			t.Error(err)
			return
		}
		c.SetWriteDeadline(time.Now().Add(3 * time.Second))
		taken := make([]byte, 64<<10)
		var out bytes.Buffer
		p := &h2raw{Framer: http2.NewFramer(&out, nil), t: t}
		p.AllowIllegalWrites = true
		p.enc = hpack.NewEncoder(&p.block)
		out.WriteString(http2.ClientPreface)
		p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(rng.Intn(200000))})
		p.request(1, false, "POST", "/")
		open, id := []uint32{1}, uint32(3)
		for range 60 {
			some := func() uint32 { return open[rng.Intn(len(open))] }
			switch rng.Intn(14) {
			case 0, 1, 2:
				p.request(id, true, "GET", "/")
				open = append(open, id)
				id += 2
			case 3, 4:
				p.request(id, false, "POST", "/")
				open = append(open, id)
				id += 2
			case 5, 6:
				p.WriteData(some(), rng.Intn(3) == 0, make([]byte, rng.Intn(16384)))
			case 7:
				p.WriteRSTStream(some(), http2.ErrCodeCancel)
			case 8:
				p.WriteWindowUpdate(0, uint32(1+rng.Intn(100000)))
			case 9:
				p.WriteWindowUpdate(some(), uint32(1+rng.Intn(100000)))
			case 10:
				p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(rng.Intn(100000))})
			case 11:
				if rng.Intn(6) > 0 { // most often it is a fault that ends all
					continue
				}
				p.WriteHeaders(http2.HeadersFrameParam{StreamID: some(), EndHeaders: true, EndStream: true, BlockFragment: p.fields("x-t", "v")})
			case 12:
				p.WriteRawFrame(http2.FrameWindowUpdate, 0, some(), []byte{0, 0, 0, 0})
			case 13:
				p.request(id, true, "GET", "bad")
				id += 2
			}
			if rng.Intn(3) == 0 { // in pieces that end anywhere
				n := rng.Intn(out.Len() + 1)
				if _, err := c.Write(out.Next(n)); err != nil {
					break
				}
				if rng.Intn(3) > 0 { // what has come, some of it
					c.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
					c.Read(taken[:1+rng.Intn(len(taken))])
				}
			}
		}
		c.Write(out.Bytes())
		switch rng.Intn(3) {
		case 0:
			c.(*net.TCPConn).SetLinger(0)
		case 1:
			c.(*net.TCPConn).CloseWrite()
			c.SetReadDeadline(time.Now().Add(2 * time.Second))
			io.Copy(io.Discard, c)
		}
		c.Close()
	}
}
