package logline

import (
	"net/netip"
	"time"
)

// Times are HAProxy's marks of one request or connection in milliseconds
// since Record.Accept, -1 when not reached. The %T variables are differences
// of them (configuration manual 8.4).
//
// For a request behind another one on a kept-alive connection, Accept is the
// moment the previous response ended, as in HAProxy.
type Times struct {
	Handshake int64 // duration, 0 without TLS or PROXY
	Idle      int64 // duration from the handshake's end to the first byte of the request; -1 before it
	Request   int64 // whole request head received; in TCP mode the moment of accept (0)
	Queue     int64 // left the queue
	Connect   int64 // connected to the server
	Data      int64 // first byte of the response (HTTP: its whole head)
	Close     int64 // everything done
}

// Record is what one log line can tell. The zero value of a name prints as
// HAProxy prints a missing one. It is filled by the proxy once at the end of
// a request and is not kept.
type Record struct {
	Accept time.Time // wall clock
	Times  Times

	HTTP bool // the proxy is in HTTP mode
	Asap bool // option logasap: %Tt, %B get a "+"

	Client       netip.AddrPort // %ci %cp; invalid prints "unix" and ListenerID
	Local        netip.AddrPort // %fi %fp, where the client connected to
	ServerSource netip.AddrPort // %bi %bp, where we connected from; invalid prints "-"
	ServerAddr   netip.AddrPort // %si %sp; invalid prints "-"
	ListenerID   int            // %cp and %fp for a unix listener

	Frontend string // %f, %ft
	TLS      bool   // %ft gets a "~"
	Bind     string // unnamed in any variable; kept for messages
	Backend  string // %b; empty prints Frontend
	Server   string // %s; empty prints <NOSRV>

	Status       int     // %ST; -1 when there is none
	BytesIn      int64   // %U, from the client
	BytesOut     int64   // %B, to the client
	Term         [4]byte // %ts prints two, %tsc all four
	Retries      int     // %rc
	Redispatched bool    // %rc gets a "+"

	ActConn, FeConn, BeConn, SrvConn int  // %ac %fc %bc %sc, including this one
	SrvQueue, BackendQueue           int  // %sq %bq
	Counter                          uint // %rt, requests of the process
	LogCounter                       uint // %lc, lines logged of this frontend

	// Request is the request line as received ("GET / HTTP/1.1"), cut by the
	// caller to tune.http.logurilen; nil prints <BADREQ>.
	Request []byte
	// RequestHeaders and ResponseHeaders are captured values in the order of
	// their capture lines; nil elements were missing.
	RequestHeaders, ResponseHeaders [][]byte
	RequestCookie, ResponseCookie   []byte // %CC %CS, "name=value"
	UniqueID                        []byte // %ID

	TLSVersion, TLSCipher string // %sslv %sslc

	Host string // %H
	PID  int    // %pid
}
