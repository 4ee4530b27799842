package lab

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// How long after it was sent an answer still counts. A packet that waited in
// the client's neighbour queue for an address to come back is answered too,
// but by then the user has waited.
const (
	lateEcho    = 100 * time.Millisecond
	lateService = 300 * time.Millisecond
)

// Probe asks one address again and again from the client: for an ICMP echo
// each millisecond, which nodes answer in the kernel, so that the address is
// measured and no program; or for an HTTP answer each ten milliseconds, each
// on a connection of its own, which measures the service on the address. Its
// mutex guards echoes.
type Probe struct {
	addr string
	fd   int           // of the ping socket, -1 for a service
	late time.Duration // how long after it was sent an answer still counts
	end  chan struct{}
	once sync.Once
	done sync.WaitGroup

	mu        sync.Mutex
	echoes    []echo
	forgotten uint64 // echoes dropped from the front
	refused   int
}

// echo is one question: when it left and how long the answer took, zero
// while there is none.
type echo struct {
	sent time.Time
	took time.Duration
}

// Report is what a probe saw.
type Report struct {
	Addr    string
	Sent    int
	Lost    int           // never answered, or too late
	Refused int           // of the lost: connections a node refused
	Gap     time.Duration // the longest outage
	Outages []Outage
	// Stall is the longest pause between two questions: how well this
	// machine kept the millisecond. An outage shorter than it may be
	// missed, and one with it inside looks that much longer; a stall alone
	// is no outage.
	Stall time.Duration
}

// Outage is a run of lost questions, from the first of them to the next one
// that was answered.
type Outage struct {
	From time.Time
	For  time.Duration
	Lost int
	Open bool // no question after it was answered
}

// Probe starts probing an address from the client.
func (l *Lab) Probe(addr string) (*Probe, error) {
	ip := net.ParseIP(addr).To4()
	if ip == nil {
		return nil, fmt.Errorf("probe %s: not an IPv4 address", addr)
	}
	p := &Probe{addr: addr, late: lateEcho, end: make(chan struct{})}
	err := l.Client().InNetwork(func() (err error) {
		// A ping socket: the kernel hands us our own answers only.
		if p.fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMP); err != nil {
			return os.NewSyscallError("socket", err)
		}
		// Short waits let the reader see the end of the probe.
		wait := unix.NsecToTimeval(int64(20 * time.Millisecond))
		if err := unix.SetsockoptTimeval(p.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
		unix.SetsockoptInt(p.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1<<20)
		return os.NewSyscallError("setsockopt", unix.SetsockoptInt(p.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1))
	})
	if err != nil {
		return nil, fmt.Errorf("probe %s: %w", addr, err)
	}
	to := &unix.SockaddrInet4{Addr: [4]byte(ip)}
	p.done.Add(2)
	go p.ask(to)
	go p.listen()
	return p, nil
}

// ask sends a question each millisecond. A refusal of the kernel (no
// neighbour, no route) leaves the question unanswered, which it is.
func (p *Probe) ask(to unix.Sockaddr) {
	defer p.done.Done()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	var packet [24]byte
	packet[0] = 8 // echo request, RFC 792
	for i := uint64(0); ; i++ {
		binary.BigEndian.PutUint16(packet[6:], uint16(i))
		binary.BigEndian.PutUint64(packet[8:], i)
		p.mu.Lock()
		p.echoes = append(p.echoes, echo{sent: time.Now()})
		p.mu.Unlock()
		unix.Sendto(p.fd, packet[:], unix.MSG_DONTWAIT, to)
		select {
		case <-p.end:
			return
		case <-tick.C:
		}
	}
}

// listen notes answers with the time the kernel got them.
func (p *Probe) listen() {
	defer p.done.Done()
	buf, oob := make([]byte, 512), make([]byte, 256)
	var ended time.Time
	for {
		k, oobn, _, _, err := unix.Recvmsg(p.fd, buf, oob, 0)
		if err == nil && k >= 16 && buf[0] == 0 {
			p.answered(binary.BigEndian.Uint64(buf[8:]), stamp(oob[:oobn]))
		}
		select {
		case <-p.end:
			// The last questions have their time to be answered.
			if ended.IsZero() {
				ended = time.Now()
			}
			if time.Since(ended) > p.late {
				return
			}
		default:
		}
	}
}

func stamp(oob []byte) time.Time {
	list, err := unix.ParseSocketControlMessage(oob)
	if err == nil {
		for _, m := range list {
			if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_TIMESTAMPNS && len(m.Data) >= 16 {
				return time.Unix(int64(binary.NativeEndian.Uint64(m.Data)), int64(binary.NativeEndian.Uint64(m.Data[8:])))
			}
		}
	}
	return time.Now()
}

func (p *Probe) answered(i uint64, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i -= p.forgotten // an answer to a forgotten question wraps around
	if i < uint64(len(p.echoes)) {
		// The kernel's clock reading has no monotonic part; compare the
		// wall clocks of both.
		p.echoes[i].took = max(at.Sub(p.echoes[i].sent.Round(0)), 1)
	}
}

// Now returns the report so far.
func (p *Probe) Now() Report {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := summarize(p.addr, p.echoes, p.late, time.Now())
	r.Refused = p.refused
	return r
}

// forget drops what was seen so far.
func (p *Probe) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forgotten += uint64(len(p.echoes))
	p.echoes, p.refused = nil, 0
}

// Stop ends the probe and returns its report. It may be called again.
func (p *Probe) Stop() Report {
	p.once.Do(func() {
		close(p.end)
		p.done.Wait()
		if p.fd >= 0 {
			unix.Close(p.fd)
		}
	})
	return p.Now()
}

// Quiet reports whether every question of the last while was answered, as far
// as their answers are due.
func (p *Probe) Quiet(while time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	seen := false
	for i := len(p.echoes) - 1; i >= 0; i-- {
		e := p.echoes[i]
		age := now.Sub(e.sent)
		if age > while {
			return seen
		}
		if e.took > p.late || e.took == 0 && age > p.late {
			return false
		}
		seen = seen || e.took > 0
	}
	return false // younger than while
}

// WaitQuiet waits until every question was answered for a while.
func (l *Lab) WaitQuiet(ctx context.Context, p *Probe, while time.Duration) error {
	return l.WaitFor(ctx, fmt.Sprintf("%s to answer for %v", p.addr, while), func() bool { return p.Quiet(while) })
}

// summarize finds the outages among questions in the order they were sent.
// Questions whose answer is not due yet at now are left out.
func summarize(addr string, echoes []echo, late time.Duration, now time.Time) Report {
	r := Report{Addr: addr}
	var run *Outage
	for i, e := range echoes {
		if e.took == 0 && now.Sub(e.sent) <= late {
			break
		}
		r.Sent++
		if i > 0 {
			r.Stall = max(r.Stall, e.sent.Sub(echoes[i-1].sent))
		}
		if lost := e.took == 0 || e.took > late; lost {
			r.Lost++
			if run == nil {
				r.Outages = append(r.Outages, Outage{From: e.sent, Open: true})
				run = &r.Outages[len(r.Outages)-1]
			}
			run.Lost++
			run.For = e.sent.Sub(run.From)
		} else if run != nil {
			run.For, run.Open = e.sent.Sub(run.From), false
			run = nil
		}
	}
	for _, o := range r.Outages {
		r.Gap = max(r.Gap, o.For)
	}
	return r
}
