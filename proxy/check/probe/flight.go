package probe

import (
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"herald/proxy/check"
	"herald/proxy/check/script"
	"herald/proxy/loop"
)

// Flight is a check under way on a loop, which owns it: a thousand of them
// cost no goroutine. It can do what needs no more than a socket: no
// encryption, no SOCKS4, no PROXY header, no HTTP/2. The zero value is at rest; it must
// not move in memory.
type Flight struct {
	sock     loop.Socket
	timer    loop.Timer
	l        *loop.Loop
	m        *script.Machine
	o        Options
	done     func(check.Result)
	start    time.Time
	out      []byte // to be sent still
	dialling bool
	awaiting bool // bytes
	once     bool // set up for one send (loop.How.AsksOnce)
	mute     bool // and to acknowledge nothing by itself
	spoke    bool // something went out on this connection
	heard    bool // something has come
	linger   bool
}

// simple reports that a Flight can go there, without waiting for a socket.
func (p *Place) simple() bool {
	return (p.How == nil || p.How.Sockets == nil) && p.TLS == nil && p.Ask == nil && p.Header == 0 && !p.H2
}

// Launch drives m to its end on l, whose goroutine this is, and tells done the
// outcome there, perhaps before it returns. It reports false, and nothing has
// begun, when the first connection takes more than a Flight can do; later ones
// must not.
func (f *Flight) Launch(l *loop.Loop, m *script.Machine, o Options, done func(check.Result)) bool {
	w := m.Next()
	var place Place
	var err error
	if w.Kind == script.Dial {
		if place, err = o.Locate(w); err == nil && !place.simple() {
			return false
		}
	}
	f.l, f.m, f.o, f.done, f.start = l, m, o, done, time.Now()
	switch {
	case w.Kind != script.Dial:
		f.advance()
	case f.dial(w, place, err):
		f.advance()
	}
	return true
}

// Busy reports that a check is under way.
func (f *Flight) Busy() bool { return f.m != nil }

// Drop ends a check under way; nobody hears of it.
func (f *Flight) Drop() {
	if f.Busy() {
		f.l.Drop(&f.timer)
		f.close()
		f.m, f.done = nil, nil
	}
}

// dial begins to connect, and reports whether the machine knows already how
// that ended.
func (f *Flight) dial(w script.Want, place Place, err error) bool {
	f.close()
	f.linger, f.spoke, f.heard, f.out = w.Connect.Linger, false, false, nil
	if err != nil {
		f.m.Failed(script.Broken, 4, err.Error())
		return true
	}
	to, err := place.addr()
	if err != nil {
		f.m.Failed(script.Unmade, 4, reason(err))
		return true
	}
	limit := f.o.Inter
	if f.o.Timeout > 0 && f.o.Connect > 0 {
		limit = min(limit, f.o.Connect)
	}
	f.l.Arm(&f.timer, f.l.Clock()+int64(limit), f)
	how := place.How
	if how == nil {
		how = &oneQuestion
	}
	f.once = place.Network == "tcp" && how.AsksOnce
	f.mute = f.once
	if errno := f.l.DialBy(&f.sock, &to, how, f); errno != 0 {
		f.m.Failed(place.unmade(errno), 4, reason(errno))
		return true
	}
	f.dialling = true
	return false
}

// oneQuestion is the way of a check without one of its own. A check that only
// connects ends by a reset before the handshake has: the server never hears
// of it.
var oneQuestion = loop.How{AsksOnce: true}

// addr is the place in the system's form.
func (p *Place) addr() (loop.Addr, error) {
	switch p.Network {
	case "unix":
		return loop.Unix(p.Address)
	case Abstract:
		if a, ok := loop.Abstract(p.Address); ok {
			return a, nil
		}
		return loop.Addr{}, unix.ENAMETOOLONG
	}
	at, err := netip.ParseAddrPort(p.Address)
	return loop.TCP(at), err
}

func (f *Flight) refused(errno syscall.Errno) {
	if errno == unix.ETIMEDOUT {
		f.m.Failed(script.TimedOut, 4, "")
		return
	}
	f.m.Failed(script.Refused, 4, reason(errno))
}

// connected looks at how connecting ended.
func (f *Flight) connected() {
	f.dialling = false
	if f.sock.Can()&loop.Failed != 0 {
		if errno := f.sock.Err(); errno != 0 {
			f.refused(errno)
			return
		}
	}
	if f.o.Timeout > 0 {
		if later := f.l.Clock() + int64(f.o.Timeout); later > f.timer.When() {
			f.l.Arm(&f.timer, later, f)
		}
	}
	f.m.Dialed(false)
}

// Ready is called by the loop.
func (f *Flight) Ready(loop.Event) {
	switch {
	case !f.Busy():
		return
	case f.dialling:
		if f.sock.Can()&(loop.Writable|loop.Failed) == 0 {
			return
		}
		f.connected()
	case len(f.out) > 0:
		if !f.send() {
			return
		}
	case f.awaiting:
		if !f.receive() {
			return
		}
	default:
		return
	}
	f.advance()
}

// Expired is called by the loop when the time is up.
func (f *Flight) Expired(*loop.Timer) {
	layer := 7
	if f.dialling {
		layer = 4
	}
	f.dialling, f.awaiting, f.out = false, false, nil
	f.m.Failed(script.TimedOut, layer, "")
	f.advance()
}

// advance does what the machine wants until it must wait.
func (f *Flight) advance() {
	for {
		w := f.m.Next()
		told := true
		switch w.Kind {
		case script.Dial:
			place, err := f.o.Locate(w)
			told = f.dial(w, place, err)
		case script.Write:
			f.out = w.Bytes
			told = f.send()
		case script.Read:
			told = f.receive()
		default:
			w.Result.Duration = time.Since(f.start)
			done := f.done
			f.Drop()
			done(w.Result)
			return
		}
		if !told {
			return
		}
	}
}

// send sends what is to be sent, and reports whether the machine knows how
// that ended.
func (f *Flight) send() bool {
	if f.spoke && f.once {
		f.once = false
		loop.NoDelay(f.sock.FD())
	}
	for len(f.out) > 0 {
		n, errno := f.sock.Send(f.out)
		if errno == unix.EAGAIN {
			return false
		}
		if errno != 0 {
			f.out = nil
			f.broken(errno)
			return true
		}
		f.out = f.out[n:]
		f.spoke = true
	}
	f.m.Written()
	return true
}

// receive reports whether the machine was told something.
func (f *Flight) receive() bool {
	n, errno := 0, syscall.Errno(unix.EAGAIN)
	buf := f.l.Buffer()[:len(run{}.buf)]
	if f.sock.Can()&loop.Readable != 0 {
		n, errno = f.sock.Recv(buf)
	}
	f.awaiting = errno == unix.EAGAIN
	switch {
	case f.awaiting:
		if f.mute && (f.heard || !f.spoke) { // the server may wait for that, or speaks first
			f.mute = false
			loop.AckNow(f.sock.FD())
		}
		return false
	case errno != 0:
		f.broken(errno)
	case n == 0:
		f.m.Ended()
	default:
		f.heard = true
		f.m.Received(buf[:n])
	}
	return true
}

func (f *Flight) broken(errno syscall.Errno) {
	if errno == unix.ETIMEDOUT {
		f.m.Failed(script.TimedOut, 7, "")
		return
	}
	f.m.Failed(script.Broken, 7, reason(errno))
}

// close ends the connection, by a reset unless the script says otherwise.
func (f *Flight) close() {
	f.dialling, f.awaiting = false, false
	if !f.sock.Open() {
		return
	}
	if f.linger {
		f.sock.Close()
	} else {
		f.sock.Reset()
	}
}
