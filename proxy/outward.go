package proxy

import (
	"context"
	"errors"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// This file is namespace of server lines. The engine may not enter a network
// namespace: whoever started it makes sockets there, of which some are kept in
// advance.

// MakeSockets answers n non-blocking TCP sockets, of IPv6 or IPv4, of a network
// namespace.
type MakeSockets func(ctx context.Context, namespace string, ipv6 bool, n int) ([]int, error)

// How many sockets of a namespace and family are kept: fewest at first, twice as
// many whenever none was left, until most.
const (
	fewestSockets = 8
	mostSockets   = 256
)

// socketsLate is how long a request waits for a socket at most, and socketsTurn
// how often it looks for one.
const (
	socketsLate = 5 * time.Second
	socketsTurn = 2 * time.Millisecond
)

// outlets are the sockets of one network namespace. They are a loop.Sockets.
type outlets struct {
	s         *Server
	namespace string
	families  [2]outlet // IPv4, IPv6
}

// outlet are those of a family.
type outlet struct {
	mu      sync.Mutex // guards the rest
	stock   []int
	want    int
	asked   time.Time     // the answer is awaited since then; zero: none is
	came    chan struct{} // closed when it has come
	failure error         // the last answer, which came at failed
	failed  time.Time
	closed  bool
}

// outletsOf are those of a namespace, made when it is named first.
func (s *Server) outletsOf(namespace string) *outlets {
	for _, o := range s.outlets {
		if o.namespace == namespace {
			return o
		}
	}
	o := &outlets{s: s, namespace: namespace}
	for i := range o.families {
		o.families[i].want = fewestSockets
	}
	s.outlets = append(s.outlets, o)
	return o
}

// SetSockets says how sockets are made in the network namespaces of server
// lines, and has the first made in each: it answers why that cannot be. It
// comes between New and Serve; the function is called by any goroutine.
func (s *Server) SetSockets(ctx context.Context, make MakeSockets) error {
	s.makeSockets = make
	var problems []error
	for _, o := range s.outlets {
		fds, err := make(ctx, o.namespace, false, fewestSockets)
		o.families[0].stock = fds
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// Take answers a socket that has been made.
func (o *outlets) Take(family int) (int, syscall.Errno) {
	l := o.of(family)
	l.mu.Lock()
	defer l.mu.Unlock()
	fd, ok := l.take()
	if len(l.stock) <= l.want/2 {
		o.ask(l)
	}
	switch {
	case ok:
		return fd, 0
	case l.asked.IsZero() || time.Since(l.asked) > socketsLate:
		return -1, unix.EADDRNOTAVAIL
	}
	return -1, unix.EAGAIN
}

// Await is Take that waits for an answer.
func (o *outlets) Await(family int) (int, error) {
	l := o.of(family)
	late := time.NewTimer(socketsLate)
	defer late.Stop()
	for {
		fd, errno := o.Take(family)
		if errno == 0 {
			return fd, nil
		}
		l.mu.Lock()
		came, failure := l.came, l.failure
		l.mu.Unlock()
		if errno != unix.EAGAIN {
			return -1, errors.Join(failure, errno)
		}
		select {
		case <-came:
		case <-late.C:
			return -1, errno
		}
	}
}

func (o *outlets) of(family int) *outlet {
	if family == unix.AF_INET6 {
		return &o.families[1]
	}
	return &o.families[0]
}

// take needs mu held.
func (l *outlet) take() (int, bool) {
	n := len(l.stock)
	if n == 0 {
		l.want = min(2*l.want, mostSockets)
		return -1, false
	}
	fd := l.stock[n-1]
	l.stock = l.stock[:n-1]
	return fd, true
}

// ask has the stock filled up, unless that is under way or has just failed. l.mu
// is held.
func (o *outlets) ask(l *outlet) {
	if !l.asked.IsZero() || l.closed || l.failure != nil && time.Since(l.failed) < retryPause/2 || o.s.makeSockets == nil || o.s.ctx.Err() != nil {
		return
	}
	l.asked, l.came = time.Now(), make(chan struct{})
	n := l.want - len(l.stock)
	o.s.wg.Go(func() { o.fill(l, n) })
}

// fill waits for n sockets.
func (o *outlets) fill(l *outlet, n int) {
	fds, err := o.s.makeSockets(o.s.ctx, o.namespace, l == &o.families[1], n)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil && l.failure == nil && o.s.ctx.Err() == nil {
		o.s.notice("namespace " + o.namespace + ": " + err.Error())
	}
	close(l.came)
	l.asked, l.failure, l.failed = time.Time{}, err, time.Now()
	if l.closed {
		closeAll(fds)
		return
	}
	l.stock = slices.Concat(fds, l.stock)
}

// close closes what nobody took.
func (o *outlets) close() {
	for i := range o.families {
		l := &o.families[i]
		l.mu.Lock()
		closeAll(l.stock)
		l.stock, l.closed = nil, true
		l.mu.Unlock()
	}
}

func closeAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}

// lacksSocket reports that no socket of the server's namespace was ready to be
// dialled with, and one will be.
func (x *stream) lacksSocket(errno syscall.Errno) bool {
	return errno == unix.EAGAIN && x.t.cfg.Namespace != ""
}

// awaitSocket tries again in a moment.
func (x *stream) awaitSocket() answer {
	x.c.arm(socketsTurn)
	return x.to(stepPause)
}
