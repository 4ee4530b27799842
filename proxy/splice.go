package proxy

import (
	"golang.org/x/sys/unix"

	"herald/proxy/loop"
)

// Bulk passes within the system, through a pipe, when nobody between the two
// sockets has to see it. Small messages do not: a pipe costs two more system
// calls than a copy.

// spliceAfter is how many full receives in a row make a flow bulk that did not
// announce its length, spliceLeast how many bytes must be certain to come, and
// spliceSmall how few at a time make it small messages again.
const (
	spliceAfter = 2
	spliceLeast = 128 << 10
	spliceSmall = 16 << 10
)

// splices reports whether what comes next passes through a pipe.
func (f *flow) splices(w *worker, src, dst *loop.Socket) bool {
	switch {
	case f.strip || src.Layer() != nil || dst.Layer() != nil:
		return false
	case f.bulk < spliceAfter && !f.long(), f.certain() < spliceLeast && f.pipe == nil, f.certain() == 0:
		return false
	case w.s.cfg.Global.NoSplice:
		return false
	}
	if f.pipe == nil {
		f.pipe = w.l.TakePipe()
	}
	return f.pipe != nil
}

// long reports that the sender announced enough to come.
func (f *flow) long() bool { return !f.raw && f.body.Left() >= spliceLeast }

// certain is how many of the next bytes pass whatever they are.
func (f *flow) certain() int64 {
	if f.raw {
		return mostPiped
	}
	if n := f.body.Left(); n >= 0 {
		return min(n, mostPiped)
	}
	return mostPiped
}

// mostPiped is what one fill of a pipe asks for.
const mostPiped = 1 << 20

// fill receives into the pipe; going reports that the flow may go on at once.
func (f *flow) fill(w *worker, src *loop.Socket) (n int, going bool) {
	n, errno := src.Fill(f.pipe, int(f.certain()))
	switch {
	case errno == unix.EINVAL: // a socket that cannot be spliced
		f.bulk = 0
		f.release(w)
		return 0, true
	case errno == eagain:
		return 0, false
	case errno != 0:
		f.fault = faultSource
		return 0, false
	case n == 0:
		f.ended = f.raw || f.body.EndsAtClose()
		if !f.ended {
			f.fault = faultSource
		}
		return 0, f.ended
	}
	f.piped = n
	if n < spliceSmall {
		f.bulk = 0
	}
	if !f.raw {
		f.ended = f.body.Skip(int64(n))
	}
	return n, true
}

// drain sends what is in the pipe; sent reports that all of it went.
func (f *flow) drain(w *worker, dst *loop.Socket) (n int, sent bool) {
	if dst.Can()&loop.Writable == 0 {
		return 0, false
	}
	for f.piped > 0 {
		k, errno := dst.Drain(f.pipe, f.piped, !f.raw && !f.ended)
		if errno == eagain {
			return n, false
		}
		if errno != 0 || k == 0 {
			f.fault = faultSink
			return n, false
		}
		f.piped -= k
		n += k
	}
	return n, true
}
