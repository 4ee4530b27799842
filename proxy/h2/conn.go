package h2

import (
	"slices"

	"golang.org/x/net/http2/hpack"

	"herald/proxy/h1"
)

// Role is which end of a connection we are.
type Role uint8

// Roles.
const (
	Server Role = iota // the peer is a client
	Client             // the peer is a server
)

// Preface is what a client says first (RFC 9113 section 3.4).
const Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// Config is what one end wants; the zero value of a field is its default.
type Config struct {
	Role       Role
	MaxStreams int  // the peer may have open at a time, 100; a Server's
	Window     int  // bytes the peer may send ahead on a stream, 65535
	ConnWindow int  // on all streams together, 512 KB, never below Window
	TableSize  int  // of the header table the peer may use, 4096
	FrameSize  int  // of the largest frame the peer may send, 16384
	MaxHead    int  // bytes of a head as HTTP/1 text, and of a header block; 15 KB
	NoConnect  bool // clients are not offered extended CONNECT, for WebSockets
	// Credit is how many frames that do no work a peer may send in one go.
	// They come back with time, and with work. 1000 by default.
	Credit  int
	Scratch *Scratch
}

// Scratch is room that the connections of one loop share: what is in it is
// lost with the next call of any of them.
type Scratch struct {
	reading reading // the head being decoded
	copied  []byte  // a head about to be parsed in place
	head    h1.Head
	free    []*Stream
	// Chance fills p with bytes nobody can guess, for the keys of WebSockets.
	Chance func(p []byte)
}

// Kind says what Next found.
type Kind uint8

// Kinds of events.
const (
	NeedMore    Kind = iota // what is left is no whole frame: receive more behind it
	Nothing                 // a frame that concerns nobody else
	Malformed               // a request that was refused; it has no stream
	HeadArrived             // Text: of a new stream (Server), of an interim or final response (Client)
	DataArrived             // Data, and with End the last of the body; Text then has the trailer lines, if any
	ResetByPeer             // Stream has ended with Code, by RST_STREAM or by a malformed frame that we answered with one
	RoomGrew                // more can be written: on Stream, or with nil on those that found the connection full
	WindowsGrew             // more can be written on every stream
	PeerReady               // the peer's first settings have come
	PeerLeaves              // GOAWAY: streams above Last were not begun
	DrainHeard              // the peer has heard of Drain
	Broken                  // the connection is over: send Out, close
)

// Event is what one call of Next found. Text and Data are valid until the
// next call.
type Event struct {
	Kind   Kind
	Stream *Stream
	Text   []byte
	Data   []byte
	End    bool
	Open   bool // Data is the last of a body of known length, but no END_STREAM has come: trailers may follow
	Code   Code
	Last   uint32
}

// Stats counts what a connection received and said, for the h2 columns of the
// statistics.
type Stats struct {
	Headers, Data, Settings, Resets, Goaways uint64 // received
	ConnErrors, StreamErrors                 uint64 // the peer's
	ResetsSent, GoawaysSent                  uint64
	Streams                                  uint64
}

// Conn is one connection. Its user owns it; the zero value needs Start.
type Conn struct {
	cfg     Config
	out     []byte
	sent    int // of out
	streams map[uint32]*Stream
	lingers int       // of them, answered and not yet ended by the peer
	unborn  []*Stream // ours, without an ID
	dec     *hpack.Decoder

	stats Stats

	preface  uint8 // bytes of it seen
	settled  bool  // the peer's first settings have come
	broken   bool
	draining bool // GOAWAY with the highest id was sent
	leaving  bool // GOAWAY with the last id was sent
	peerLeft bool

	maxID  uint32 // highest the peer opened (Server), or we did (Client)
	lastID uint32 // with leaving: the last that is served
	recent [recentStreams]uint32
	oldest uint8

	// Of what we receive.
	window  int64 // what the peer may still send
	unacked int64 // taken and not yet given back

	// Of what we send.
	room        int64 // the connection's window
	firstRoom   int64 // of a new stream
	frameSize   int   // the peer's
	peerStreams uint32
	connectOK   bool // the peer takes extended CONNECT
	tail        tail
	sayTable    bool // the peer wants to hear that our header table is empty

	data  passing // a DATA frame that is not whole
	block block   // a header block that is not whole

	credit int64
	now    int64 // of the last refill
}

// recentStreams is how many ended streams are remembered, to tell what is
// under way from what is wrong.
const recentStreams = 32

// resetByUs marks in recent a stream whose peer may not have heard yet.
const resetByUs = 1 << 31

// passing is the DATA frame being passed on.
type passing struct {
	left, pad int
	end       bool
	s         *Stream // nil: thrown away
}

// mostHeld bounds the frames that must have come whole to be read.
const mostHeld = 32 << 10

// block collects HEADERS and its CONTINUATIONs.
type block struct {
	id       uint32 // 0: none
	flags    uint8
	selfish  bool // depends on itself
	text     []byte
	overlong bool
}

// Start begins the connection: the settings, and a client's preface, are in
// Out afterwards.
func (c *Conn) Start(cfg Config) {
	cfg.defaults()
	*c = Conn{cfg: cfg, out: c.out[:0], streams: map[uint32]*Stream{}, window: firstWindow, room: firstWindow, firstRoom: firstWindow,
		frameSize: minFrameSize, peerStreams: 100, credit: int64(cfg.Credit)}
	c.dec = hpack.NewDecoder(uint32(cfg.TableSize), c.field)
	c.dec.SetMaxStringLength(2 * cfg.MaxHead)
	c.greet()
}

func (cfg *Config) defaults() {
	orInt(&cfg.MaxStreams, 100)
	orInt(&cfg.Window, firstWindow)
	orInt(&cfg.ConnWindow, 512<<10)
	cfg.ConnWindow = max(cfg.ConnWindow, cfg.Window, firstWindow)
	orInt(&cfg.TableSize, firstTable)
	orInt(&cfg.FrameSize, minFrameSize)
	orInt(&cfg.MaxHead, 15<<10)
	orInt(&cfg.Credit, 1000)
	if cfg.Scratch == nil {
		cfg.Scratch = &Scratch{}
	}
}

func orInt(v *int, otherwise int) {
	if *v == 0 {
		*v = otherwise
	}
}

// greet writes our settings.
func (c *Conn) greet() {
	if c.cfg.Role == Client {
		c.out = append(c.out, Preface...)
	} else {
		c.preface = 0
	}
	at := len(c.out)
	c.out = appendHeader(c.out, 0, frameSettings, 0, 0)
	if c.cfg.Role == Client {
		c.out = appendSetting(c.out, settingPush, 0)
	} else {
		if !c.cfg.NoConnect {
			c.out = appendSetting(c.out, settingConnect, 1)
		}
		c.out = appendSetting(c.out, settingMaxStreams, uint32(c.cfg.MaxStreams))
	}
	if c.cfg.Window != firstWindow {
		c.out = appendSetting(c.out, settingWindow, uint32(c.cfg.Window))
	}
	if c.cfg.TableSize != firstTable {
		c.out = appendSetting(c.out, settingTableSize, uint32(c.cfg.TableSize))
	}
	if c.cfg.FrameSize != minFrameSize {
		c.out = appendSetting(c.out, settingFrameSize, uint32(c.cfg.FrameSize))
	}
	c.out[at+2] = byte(len(c.out) - at - headerLen)
}

// widen lets the peer send n more on the connection.
func (c *Conn) widen(n int64) {
	if n > 0 {
		c.window += n
		c.out = append32(appendHeader(c.out, 4, frameWindow, 0, 0), uint32(n))
	}
}

// Next reads the first frame of p, which begins where the last call left off,
// and returns how many bytes it used. now is nanoseconds of a clock that never
// goes back.
func (c *Conn) Next(p []byte, now int64) (Event, int) {
	switch {
	case c.broken:
		return Event{Kind: Broken}, len(p)
	case c.cfg.Role == Server && int(c.preface) < len(Preface):
		return c.readPreface(p)
	case c.data.left+c.data.pad > 0:
		return c.passData(p)
	case len(p) < headerLen:
		return Event{}, 0
	}
	h := parseHeader(p)
	c.refill(now)
	switch {
	case !c.settled && (h.kind != frameSettings || h.has(flagAck)):
		return c.fail(ProtocolError), len(p)
	case h.length > c.cfg.FrameSize:
		return c.fail(FrameSizeError), len(p)
	case h.length > mostHeld && h.kind != frameData:
		return c.fail(EnhanceYourCalm), len(p) // it would have to be held
	case c.block.id != 0 && (h.kind != frameContinuation || h.id != c.block.id):
		return c.fail(ProtocolError), len(p)
	case h.kind == frameData:
		return c.startData(h, p)
	case len(p) < headerLen+h.length:
		return Event{}, 0
	}
	n := headerLen + h.length
	ev := c.frame(h, p[headerLen:n])
	if ev.Kind == Broken {
		n = len(p)
	}
	return ev, n
}

func (c *Conn) readPreface(p []byte) (Event, int) {
	want := Preface[c.preface:]
	n := min(len(p), len(want))
	if string(p[:n]) != want[:n] {
		return c.fail(ProtocolError), len(p)
	}
	c.preface += uint8(n)
	if int(c.preface) < len(Preface) {
		return Event{}, n
	}
	return Event{Kind: Nothing}, n
}

// frame handles a whole frame other than DATA.
func (c *Conn) frame(h header, p []byte) Event {
	switch h.kind {
	case frameHeaders:
		return c.headers(h, p)
	case frameContinuation:
		return c.continuation(h, p)
	case framePriority:
		return c.priority(h, p)
	case frameReset:
		return c.resetByPeer(h, p)
	case frameSettings:
		return c.settings(h, p)
	case framePush:
		return c.fail(ProtocolError) // a client has none to make, and we allowed a server none
	case framePing:
		return c.ping(h, p)
	case frameGoaway:
		return c.goaway(h, p)
	case frameWindow:
		return c.windowUpdate(h, p)
	}
	return c.cheap(1) // RFC 9113 section 4.1: frames of unknown type are ignored
}

// fail ends the connection with an error.
func (c *Conn) fail(code Code) Event {
	if !c.broken {
		c.broken = true
		c.stats.ConnErrors++
		c.sayGoaway(c.maxPeerID(), code)
	}
	return Event{Kind: Broken, Code: code}
}

// maxPeerID is the highest stream of the peer's.
func (c *Conn) maxPeerID() uint32 {
	if c.cfg.Role == Client {
		return 0
	}
	return c.maxID
}

func (c *Conn) sayGoaway(last uint32, code Code) {
	c.tail = tail{}
	c.stats.GoawaysSent++
	c.out = append32(append32(appendHeader(c.out, 8, frameGoaway, 0, 0), last), uint32(code))
}

// Stats returns the counts since the last call.
func (c *Conn) Stats() Stats {
	s := c.stats
	c.stats = Stats{}
	return s
}

// Len is how many streams are open that have an owner.
func (c *Conn) Len() int { return len(c.streams) + len(c.unborn) - c.lingers }

// Settled reports that the peer's first settings have come. Whether it takes a
// WebSocket is not known before (RFC 8441 section 3).
func (c *Conn) Settled() bool { return c.settled }

// PeerLeft reports that the peer begins, or serves, no more streams.
func (c *Conn) PeerLeft() bool { return c.peerLeft }

// Abandon ends the connection without a word: nobody would hear it.
func (c *Conn) Abandon() {
	c.broken = true
	c.out, c.sent = nil, 0
}

// Each calls f for every open stream. f may close the stream it is given.
func (c *Conn) Each(f func(*Stream)) {
	for _, s := range slices.Clone(c.unborn) {
		f(s)
	}
	for _, s := range c.streams {
		if !s.lingers {
			f(s)
		}
	}
}

// pingOfDrain is what our own ping carries.
const pingOfDrain = "h-drain."

// Drain asks the peer to begin no more streams; those it begins before it has
// heard are served. DrainHeard tells when to call Leave (RFC 9113 section
// 6.8).
func (c *Conn) Drain() {
	if c.draining || c.leaving || c.broken {
		return
	}
	c.draining = true
	c.sayGoaway(maxWindow, NoError)
	c.out = append(appendHeader(c.out, 8, framePing, 0, 0), pingOfDrain...)
}

// Leave says that no stream after those begun is served.
func (c *Conn) Leave() {
	if c.leaving || c.broken {
		return
	}
	c.leaving, c.lastID = true, c.maxPeerID()
	c.sayGoaway(c.lastID, NoError)
}

// Leaving reports that Leave was called, or the connection broke.
func (c *Conn) Leaving() bool { return c.leaving || c.broken }
