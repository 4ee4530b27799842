// Package loop is an edge: event loops over epoll for stream sockets, with
// timers and a mailbox. A loop owns its sockets, its timers and one large
// receive buffer, and runs on one thread of the system.
//
// It knows no protocol, keeps no queue of bytes, decides nothing about a
// connection, and never blocks but in waiting for events. Only Post, Stop and
// Beat may be called from elsewhere; everything else belongs to the loop's
// own goroutine, that is: to handlers and posted functions.
//
//	l, err := loop.New(loop.Options{})
//	go l.Run()
//	l.Post(func() {
//		a, _ := l.Listen(fd, onAccept)   // onAccept.Accepted(fd, peer)
//		...
//		var s loop.Socket
//		l.Register(&s, fd, conn)         // conn.Ready(events)
//		n, errno := s.Recv(l.Buffer())
//		n, errno = s.Send(reply)
//		l.Arm(&timer, l.Now()+int64(time.Second), conn)
//	})
//	l.Stop()
package loop

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// bufferSize is what one receive may take: large enough that bulk moves
	// in few calls, small enough to stay in the processor's cache.
	bufferSize = 64 << 10
	// Headroom is how many bytes lie free in front of Buffer, so that a head
	// that grew can be laid in front of a body in place.
	Headroom = 8 << 10
	// eventBatch is how many events one wait may return.
	eventBatch = 256
	// shortNap is how long a loop that has just had work waits for more
	// without telling the scheduler.
	shortNap = time.Millisecond
	// starvedPause is how long a listener rests after the system ran out of
	// descriptors or memory.
	starvedPause = int64(100 * time.Millisecond)
)

// Options of a loop; the zero value is good.
type Options struct {
	// AcceptBudget is how many connections one readiness of a listener may
	// accept before other events get their turn; 0 means 64.
	AcceptBudget int
	// AfterEvents is called once after each batch of events, when all their
	// handlers have run.
	AfterEvents func()
	// Nap answers how long a loop that has just had work waits for more without
	// telling the scheduler, whose processor it keeps meanwhile; nil means a
	// millisecond. It should be below the 10 ms after which Go's monitor takes
	// the processor away.
	Nap func() time.Duration
}

// Loop is one event loop. The goroutine in Run owns it.
type Loop struct {
	epfd   int
	wakefd int
	opts   Options
	events [eventBatch]unix.EpollEvent
	slots  []slot
	free   []uint32
	timers heap
	buffer []byte
	base   time.Time
	wall   time.Time
	now    int64
	busy   bool // the last poll found something
	beat   atomic.Int64
	peer   rawAddr
	peerN  uint32
	wake   wakeHandler
	wakeS  Socket

	mail struct {
		sync.Mutex
		queue   []func()
		stopped bool
	}
	spare  []func()
	pipes  []*Pipe   // free
	again  []Handler // asked for another turn
	turns  []Handler // being given it
	yields yields
	stop   bool
}

type slot struct {
	socket *Socket
	gen    uint32
	yields bool
	held   uint16 // events that wait for their turn
}

// New returns a loop that does not turn yet. It fails when the system has no
// descriptors left.
func New(opts Options) (*Loop, error) {
	if opts.AcceptBudget <= 0 {
		opts.AcceptBudget = 64
	}
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create an epoll descriptor: %w", err)
	}
	wakefd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		unix.Close(epfd)
		return nil, fmt.Errorf("create an event descriptor: %w", err)
	}
	l := &Loop{epfd: epfd, wakefd: wakefd, opts: opts, base: time.Now(), buffer: make([]byte, Headroom+bufferSize)}
	l.wake.loop = l
	l.tick()
	if err := l.Register(&l.wakeS, wakefd, &l.wake); err != nil {
		unix.Close(epfd)
		unix.Close(wakefd)
		return nil, err
	}
	return l, nil
}

// Now is the time the current batch of events was fetched, in nanoseconds of
// a monotonic clock that starts with the loop.
func (l *Loop) Now() int64 { return l.now }

// Wall is Now as a time of day.
func (l *Loop) Wall() time.Time { return l.wall }

// Clock reads the clock anew: nanoseconds like Now, for spans inside a batch.
func (l *Loop) Clock() int64 { return int64(time.Since(l.base)) }

// Buffer is the receive buffer, shared by everything on the loop: what it
// holds is lost when the handler returns.
func (l *Loop) Buffer() []byte { return l.buffer[Headroom:] }

// WithHeadroom is Buffer with the Headroom free bytes in front.
func (l *Loop) WithHeadroom() []byte { return l.buffer }

// Beat is when the loop last finished a turn, in nanoseconds like Clock. Any
// goroutine may ask.
func (l *Loop) Beat() int64 { return l.beat.Load() }

// Post runs f on the loop, after what it is doing now. Any goroutine may call
// it. It reports false when the loop has stopped and f will not run.
func (l *Loop) Post(f func()) bool {
	l.mail.Lock()
	defer l.mail.Unlock()
	if l.mail.stopped {
		return false
	}
	l.mail.queue = append(l.mail.queue, f)
	if len(l.mail.queue) == 1 {
		one := [8]byte{1} // the counter's value in the machine's order; any non-zero value wakes
		unix.Write(l.wakefd, one[:])
	}
	return true
}

// Stop ends Run after the current turn. Sockets that are still registered
// are closed by Run. It may be called more than once.
func (l *Loop) Stop() { l.Post(func() { l.stop = true }) }

// Run turns the loop until Stop, then closes everything that is registered.
// It locks its goroutine to a thread.
func (l *Loop) Run() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer l.close()
	for !l.stop {
		n, err := l.fetch()
		if err != nil {
			return err
		}
		l.tick()
		l.dispatch(n)
		l.resume()
		l.giveTurns()
		l.expire()
		if l.opts.AfterEvents != nil {
			l.opts.AfterEvents()
		}
		l.beat.Store(l.now)
	}
	return nil
}

// Again calls h.Ready(0) in the next turn, which does not wait for events: for
// a handler that has more to do than is fair in one turn. h must still be
// alive then.
func (l *Loop) Again(h Handler) { l.again = append(l.again, h) }

func (l *Loop) giveTurns() {
	l.turns, l.again = l.again, l.turns[:0]
	for i, h := range l.turns {
		h.Ready(0)
		l.turns[i] = nil
	}
}

func (l *Loop) tick() {
	l.wall = time.Now()
	l.now = int64(l.wall.Sub(l.base))
}

// fetch waits for events. While there is work, and a moment beyond, the wait
// is a raw system call: the scheduler, told of each, would take the processor
// away and look after it 50,000 times a second, which costs a twentieth of the
// time. A collection that wants to begin meanwhile interrupts it by a signal.
// Only then the loop goes to sleep in a call that frees the processor.
func (l *Loop) fetch() (int, error) {
	if l.busy {
		n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(l.epfd), uintptr(unsafe.Pointer(&l.events)), eventBatch, uintptr(l.nap()), 0, 0)
		if errno == 0 && (n > 0 || l.behind()) {
			return int(n), nil
		}
	}
	n, _, errno := syscall.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(l.epfd), uintptr(unsafe.Pointer(&l.events)), eventBatch, uintptr(l.patience()), 0, 0)
	if errno == unix.EINTR {
		n, errno = 0, 0
	}
	if errno != 0 {
		return 0, fmt.Errorf("wait for events: %w", errno)
	}
	l.busy = n > 0
	return int(n), nil
}

// nap is how long, in milliseconds, a loop that has just had work waits for
// more without telling the scheduler.
func (l *Loop) nap() int {
	if l.behind() {
		return 0
	}
	most := int64(shortNap)
	if l.opts.Nap != nil {
		most = int64(l.opts.Nap())
	}
	if when, ok := l.timers.next(); ok {
		most = min(most, max(when-l.now, 0))
	}
	return int(most / int64(time.Millisecond))
}

// patience is how long to wait, in milliseconds rounded up so that a timer is
// never early; at most one heartbeat.
func (l *Loop) patience() int {
	const most = int64(500 * time.Millisecond)
	if l.behind() {
		return 0
	}
	wait := most
	if when, ok := l.timers.next(); ok {
		wait = min(max(when-l.Clock(), 0), most)
	}
	return int((wait + int64(time.Millisecond) - 1) / int64(time.Millisecond))
}

func (l *Loop) dispatch(n int) {
	for i := range n {
		ev := &l.events[i]
		s := &l.slots[uint32(ev.Fd)]
		if s.gen != uint32(ev.Pad) || s.socket == nil {
			continue // closed, perhaps reused, by an earlier handler of this batch
		}
		if s.yields {
			l.hold(s, ev.Events, ticket{uint32(ev.Fd), s.gen})
			continue
		}
		s.socket.deliver(ev.Events)
	}
}

// behind reports that there is work which waits for no event.
func (l *Loop) behind() bool { return len(l.again) > 0 || l.yields.waiting() }

func (l *Loop) expire() {
	for {
		t := l.timers.due(l.now)
		if t == nil {
			return
		}
		t.handler.Expired(t)
	}
}

// Register watches fd for s, edge-triggered, until Close. The loop calls h
// with what became possible; s must not move in memory.
func (l *Loop) Register(s *Socket, fd int, h Handler) error {
	return l.watch(s, fd, h, unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLRDHUP|unix.EPOLLET)
}

func (l *Loop) watch(s *Socket, fd int, h Handler, mask uint32) error {
	var index uint32
	if k := len(l.free); k > 0 {
		index = l.free[k-1]
		l.free = l.free[:k-1]
	} else {
		index = uint32(len(l.slots))
		l.slots = append(doubled(l.slots), slot{})
	}
	sl := &l.slots[index]
	sl.socket = s
	*s = Socket{loop: l, handler: h, fd: int32(fd), slot: index}
	ev := unix.EpollEvent{Events: mask, Fd: int32(index), Pad: int32(sl.gen)}
	if errno := epollCtl(l.epfd, unix.EPOLL_CTL_ADD, fd, &ev); errno != 0 {
		l.release(s)
		return fmt.Errorf("watch descriptor %d: %w", fd, errno)
	}
	return nil
}

// doubled is s with room for more. append alone would grow long ones by a
// quarter, and leave four times as much garbage as there is use.
func doubled[S ~[]E, E any](s S) S {
	if len(s) == cap(s) {
		s = slices.Grow(s, len(s)+1)
	}
	return s
}

// release frees the slot; events already fetched for it miss its generation.
func (l *Loop) release(s *Socket) {
	sl := &l.slots[s.slot]
	sl.socket, sl.yields, sl.held = nil, false, 0
	sl.gen++
	l.free = append(l.free, s.slot)
	s.fd = closedFD
}

func (l *Loop) close() {
	l.mail.Lock()
	l.mail.stopped = true
	l.mail.queue = nil
	l.mail.Unlock()
	for i := range l.slots {
		if s := l.slots[i].socket; s != nil {
			s.Close()
		}
	}
	for _, p := range l.pipes {
		p.close()
	}
	unix.Close(l.epfd)
}

// wakeHandler empties the mailbox.
type wakeHandler struct{ loop *Loop }

func (w *wakeHandler) Ready(Event) {
	l := w.loop
	var b [8]byte
	l.wakeS.Recv8(&b)
	l.mail.Lock()
	queue := l.mail.queue
	l.mail.queue = l.spare
	l.mail.Unlock()
	for i, f := range queue {
		f()
		queue[i] = nil
	}
	l.spare = queue[:0]
}
