package proxy

import (
	"net/netip"
	"time"

	"herald/proxy/h1"
	"herald/proxy/loop"
	"herald/proxy/settings"
	"herald/stats/render"
)

// stream is one request and its response, or in mode tcp one whole
// connection: what HAProxy calls a stream too. Its loop owns it.
type stream struct {
	w      *worker
	id     uint64
	step   step
	c      *client
	u      *upstream // nil while not connected
	fe     *frontend
	be     *backend
	chosen *backend // by the rules of the frontend, before it is entered
	t      *target  // holds a place on it while not nil

	request []byte // the head and what came with it, until rewriteRequest
	timed   bool   // the deadline of the head is running
	scanned bool   // the partial head was parsed once
	fresh   []byte // of the first receive, in the loop's buffer; only until readHead returns
	late    late
	gone    bool       // the client closed before its request
	unborn  bool       // no request was begun: there is only a line in the log
	refused h1.Verdict // why the request was not understood

	// The request.
	method     h1.Method
	version    h1.Version
	keep       bool // the client's connection may carry another request
	keepServer bool // the server's too
	last       bool // the client said that no other follows
	taken      bool // the request lies no more among what was received
	inspecting bool // inspect-delay is running
	gathering  bool // the body is awaited (option http-buffer-request)
	upgrade    bool
	bodyGone   bool   // some of the body is not in out any more: no second attempt
	line       []byte // the request line, for the log
	caught     *caught

	// out is the request as it is sent: the rewritten head, and what of the
	// body came with it. It is kept until the response begins, for a second
	// attempt.
	out  []byte
	sent int
	// The server's name in out (http-send-name-header): where, how long.
	nameAt, nameLen int

	up, down flow
	// When something last came, or may not have to come yet.
	clientHeard, serverHeard int64
	reply                    []byte // an answer of our own, not yet sent
	headSent                 bool   // the head of the response is on its way

	// An answer of our own making: the page asked for and the page made.
	local bool
	page  *settings.Stats
	ask   render.Request
	seen  pageAccess
	made  *render.Response

	wanted   *target // by use-server; nil: whichever the algorithm chooses
	serverAs string  // the name in TLS that namedFor is asked for
	namedFor *target // nil: it is not known yet

	hash   uint32 // of what the balancing algorithm goes by
	hashed bool   // the request has it

	assigned     *target // the last server a place was taken on, for the log
	ticket       *ticket
	speaksFor    map[headerKey]netip.Addr // whom headers of the request name
	unique       []byte                   // what unique-id-format made; nil: nothing yet
	tries        int                      // connection attempts left
	retries      int                      // made
	redispatched bool
	through      netip.AddrPort // the server, for a SOCKS4 proxy
	avoid        int            // server of the failed attempt
	reused       bool
	freshOnly    bool // the attempt on a reused connection failed

	// What the log tells. Times are nanoseconds of the loop's clock, 0 when
	// not reached.
	status                   int
	term                     [4]byte
	accept                   int64
	began                    int64 // first byte of the request
	headAt                   int64 // whole head
	queuedAt                 int64 // left the queue
	connected                int64
	dataAt                   int64 // head of the response
	bytesIn                  int64
	bytesOut                 int64
	queuedAhead, serverAhead int
}

// late says whose deadline has come.
type late uint8

const (
	clientLate late = 1 << iota
	serverLate
)

func (w *worker) takeStream() *stream {
	if n := len(w.streams); n > 0 {
		x := w.streams[n-1]
		w.streams = w.streams[:n-1]
		return x
	}
	return &stream{w: w, term: [4]byte{'-', '-', '-', '-'}, avoid: -1}
}

// largestKept bounds the request a free stream keeps its buffer for.
const largestKept = 4 << 10

func (w *worker) giveStream(x *stream) {
	x.up.release(w)
	x.down.release(w)
	out, line := x.out[:0], x.line[:0]
	if cap(out) > largestKept {
		out = nil
	}
	*x = stream{w: w, out: out, line: line, term: [4]byte{'-', '-', '-', '-'}, avoid: -1}
	w.streams = append(w.streams, x)
}

// drive runs the stream after an event, and what its connection has waiting.
func (x *stream) drive() {
	c := x.c
	if !x.run() && c.Open() && c.x == nil {
		c.pump()
	}
}

// run carries the stream through its phases until it must wait. It reports
// false when the stream has ended; x is not to be touched any more then.
func (x *stream) run() bool {
	for {
		switch life[x.step](x) {
		case next:
			x.step++
		case jump:
		case wait:
			return true
		case over:
			return false
		}
	}
}

// to goes on with another phase.
func (x *stream) to(s step) answer {
	x.step = s
	return jump
}

// end closes with these first two termination flags, without an answer.
func (x *stream) end(who, when byte) answer {
	x.flag(who, when)
	x.keep = false
	return x.to(stepFinish)
}

// flag sets the termination flags, unless something ended the stream before.
func (x *stream) flag(who, when byte) {
	if x.term[0] == '-' {
		x.term[0], x.term[1] = who, when
	}
}

// now is the time of the current batch of events.
func (x *stream) now() int64 { return x.w.l.Now() }

// timeouts are those of the side: HAProxy takes the client's from the
// frontend and the others from the backend.
func (x *stream) server() *settings.Timeouts {
	if x.be == nil {
		return &x.fe.cfg.Timeouts
	}
	return &x.be.cfg.Timeouts
}

// clientLeft reports that the client is gone and the request is to be given
// up for it (option abortonclose). Without the option the server's answer is
// awaited, as HAProxy does: a client may end its side and still read.
// An HTTP/2 client that takes its stream back does not wait for anything.
func (x *stream) clientLeft() bool {
	if x.streamReset() {
		return true
	}
	return x.be != nil && x.be.cfg.AbortOnClose && x.c.Can()&(loop.Hangup|loop.Failed) != 0
}

// streamReset reports that the client took its HTTP/2 stream back.
func (x *stream) streamReset() bool { return x.c.via != nil && x.c.Can()&loop.Failed != 0 }

// mode is how the server's connection is treated after the response: the
// stricter of both sides. The client's is its frontend's affair alone.
func (x *stream) mode() settings.Connection {
	m := x.fe.cfg.Connection
	if x.be != nil { // no rule named one
		m = max(m, x.be.cfg.Connection)
	}
	return m
}

// keepsClient reports whether clients may ask again on their connection.
func (f *frontend) keepsClient() bool { return f.cfg.Connection != settings.Close }

// millis is the time from the stream's accept to t in milliseconds, -1 when t
// was not reached.
func (x *stream) millis(t int64) int64 {
	if t == 0 {
		return -1
	}
	return (t - x.accept) / int64(time.Millisecond)
}
