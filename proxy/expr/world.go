package expr

import (
	"crypto/tls"
	"net/netip"
	"time"
)

// World answers questions about what lies beyond an Input: the connections,
// the proxies, the process. It is the loop's that evaluates.
type World interface {
	// Now is the time on the wall.
	Now() time.Time
	// Chance is a random number.
	Chance() uint64
	// Number answers a measure of a proxy or server; false when there is none.
	Number(m Measure, of Reference) (int64, bool)
	// Name answers a name; "" when there is none.
	Name(n Name) string
	// Link tells about a connection; false when there is none.
	Link(s Side) (Link, bool)
	// TLS tells what TLS made of a connection; nil without.
	TLS(s Side) *Security
	// TCP tells what the system knows of a connection.
	TCP(s Side) (TCP, bool)
}

// Side is one of the two connections of a stream.
type Side uint8

// Sides.
const (
	ClientSide Side = iota
	ServerSide
)

// Link is a connection.
type Link struct {
	Source, Destination netip.AddrPort
	Major               int    // of the version of HTTP
	Proxied             bool   // a PROXY header came first
	Authority, UniqueID []byte // what it said; empty when it did not
}

// Security is what TLS made of a connection.
type Security struct {
	State           *tls.ConnectionState
	Version, Cipher string // as OpenSSL names them
	KeySize         int    // of the cipher in bits
	// What of the client's certificate was let pass, by numbers of
	// openssl-verify(1): the last error, the first of the certificate itself, and
	// the first of its authorities with its place in the chain, from 1.
	VerifyError, CertificateError, AuthorityError, AuthorityDepth int
}

// TCP is what tcp_info tells; times are microseconds.
type TCP struct {
	RTT, RTTVariance, Unacked, Sacked, Lost, Retransmitted, Fackets, Reordering uint32
}

// Measure is a number of a frontend, backend, server or the process.
type Measure uint8

// Measures.
const (
	FrontendConnections Measure = iota
	FrontendRequestRate
	FrontendSessionRate
	FrontendID
	FrontendClientTimeout
	ListenerConnections
	ListenerID
	BackendConnections
	BackendConnectionsFree
	BackendSessionRate
	BackendID
	BackendSlots
	BackendQueue
	BackendQueueShare // waiting by usable servers
	BackendServersUp
	BackendServerTimeout
	BackendTunnelTimeout
	ServerConnections
	ServerConnectionsFree
	ServerUp
	ServerQueue
	ServerSessionRate
	ServerWeight
	ServerUserWeight
	ServerInitialWeight
	ServerID
	Stopping
	Thread
	FirstRequest
)

// Name is a name of something.
type Name uint8

// Names.
const (
	FrontendName Name = iota
	FrontendDefault
	ListenerName
	BackendName
	ServerName
	HostName
	UniqueID // of the stream
)
