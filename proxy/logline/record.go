package logline

import (
	"net/netip"
	"time"
)

// Times are HAProxy's marks of one request or connection in milliseconds
// since Record.Accept; -1 means not reached. The %T variables are differences
// of them (manual 8.4).
//
// For a request behind another one on a kept-alive connection, Accept is the
// moment the previous response ended, as in HAProxy.
type Times struct {
	Handshake int64 // duration of TLS and PROXY handshakes, 0 without
	Idle      int64 // duration from the handshakes' end to the first byte of the request
	Request   int64 // whole request head received; in TCP mode 0 once a backend is chosen
	Queue     int64 // left the queue
	Connect   int64 // connected to the server
	Data      int64 // whole response head received; in TCP mode as Connect
	Close     int64 // everything done
}

// between is b - a, or -1 when b was not reached.
func between(a, b int64) int64 {
	if b < 0 {
		return -1
	}
	return b - max(a, 0)
}

func (t *Times) before() int64 { return max(t.Idle, 0) + max(t.Handshake, 0) }

func (t *Times) receive() int64 { return between(t.before(), t.Request) }

func (t *Times) active() int64 { return t.Close - t.before() }

func (t *Times) user() int64 { return t.Close - max(t.Idle, 0) }

func (t *Times) data(http bool) int64 {
	from := t.Connect
	if http {
		from = t.Data
	}
	if from < 0 {
		return -1
	}
	return t.Close - from
}

// Record is what one log line can tell. An empty name or value prints as
// HAProxy prints a missing one. The proxy fills it once at the end of a
// request; formatting keeps nothing of it.
type Record struct {
	Accept time.Time // wall clock
	Times  Times

	HTTP bool // the proxy is in HTTP mode
	Asap bool // logged before the end (option logasap): totals get a "+"

	Client       netip.AddrPort // %ci %cp; invalid prints "unix" and ListenerID
	Local        netip.AddrPort // %fi %fp, where the client connected to; invalid as Client
	ServerSource netip.AddrPort // %bi %bp, where we connected from; invalid prints "-"
	ServerAddr   netip.AddrPort // %si %sp; invalid prints "-"
	ListenerID   int            // %cp and %fp of a unix listener

	Frontend string // %f, %ft
	TLS      bool   // %ft gets a "~"
	Bind     string // the listener's name, in AppendFailure only
	Backend  string // %b; empty prints Frontend
	Server   string // %s; empty prints <NOSRV>

	Status       int     // %ST; -1 when there is none
	BytesIn      int64   // %U, from the client
	BytesOut     int64   // %B, to the client
	Term         [4]byte // %ts prints two, %tsc all four
	Retries      int     // %rc
	Redispatched bool    // %rc gets a "+"

	// %ac %fc %bc %sc. HAProxy 2.6 counts this connection in the first two
	// and, once it has left the server, no longer in the others.
	ActConn, FeConn, BeConn, SrvConn int
	SrvQueue, BackendQueue           int  // %sq %bq
	Counter                          uint // %rt, requests of the process
	LogCounter                       uint // %lc, lines this frontend has logged before

	// Request is the request line as received ("GET / HTTP/1.1"), cut by the
	// caller to 1023 bytes or tune.http.logurilen; nil prints <BADREQ>.
	Request []byte
	// RequestHeaders and ResponseHeaders are captured values in the order of
	// their capture lines; a nil element was missing, nil slices mean that
	// nothing was captured.
	RequestHeaders, ResponseHeaders [][]byte
	RequestCookie, ResponseCookie   []byte // %CC %CS, "name=value"
	UniqueID                        []byte // %ID
	// Values are those of the expressions of CompileWith; an empty one is missing.
	Values [][]byte

	TLSVersion, TLSCipher string // %sslv %sslc
	ServerName            string // that the client asked for in TLS
	TLSResumed            bool   // it went on with an earlier session
	// CertError and AuthorityError are numbers of openssl-verify(1): why the
	// client's own certificate, or one of its authorities, was let pass though
	// it is not good; 0 when it is.
	CertError, AuthorityError int

	Host string // %H
	PID  int    // %pid
}

// began is the moment of the request's first byte.
func (r *Record) began() time.Time {
	return r.Accept.Add(time.Duration(r.Times.before()) * time.Millisecond)
}

// AppendFailure appends the line for a connection that failed before it could
// carry anything, such as in its PROXY header (manual 8.2.5).
func AppendFailure(dst []byte, r *Record, d *Dates, reason string) []byte {
	w := d.writer(dst, r)
	w.addr(r.Client, "unix")
	w.dst = append(w.dst, ':')
	w.port(r.Client, r.ListenerID)
	w.dst = append(w.dst, " ["...)
	w.date(r.Accept)
	w.dst = append(w.dst, "] "...)
	w.dst = append(w.dst, r.Frontend...)
	w.dst = append(w.dst, '/')
	w.dst = append(w.dst, r.Bind...)
	w.dst = append(w.dst, ": "...)
	w.dst = append(w.dst, reason...)
	return w.done()
}
