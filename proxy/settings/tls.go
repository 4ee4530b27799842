package settings

import "herald/proxy/expr"

// TLS is what the two sides of TLS have in common.
type TLS struct {
	// On says that "ssl" was written; without it the rest means nothing.
	On bool
	// MinVersion and MaxVersion are numbers of the protocol (RFC 8446 section
	// 4.2.1: 0x0303 is TLS 1.2); 0 is TLS 1.2, and the newest there is.
	MinVersion, MaxVersion uint16
	Ciphers                []uint16 // suites up to TLS 1.2 by number; nil means the default
	Curves                 []uint16 // groups by number (RFC 8446 section 4.2.7); nil means the default
	ALPN                   []string // in order of preference
	NoTickets              bool
	Verify                 Verify
	CA                     *File // certificates that are trusted; nil means none
	CRL                    *File // revocation lists
	SystemCA               bool  // those of the system are trusted ("ca-file @system-ca")
}

// Verify is what is asked of the other side's certificate.
type Verify int

// VerifyUnset leaves it to the default of the side: none on bind,
// ssl-server-verify on server.
const (
	VerifyUnset Verify = iota
	VerifyNone
	VerifyOptional // a certificate that is sent must be good
	VerifyRequired
)

// File is a file read at load.
type File struct {
	Path  string
	Bytes []byte
}

// BindTLS is "ssl" on a bind line.
type BindTLS struct {
	TLS
	// Certificates are in the order of the file; the first is for clients
	// that name no known host.
	Certificates []Certificate
	StrictSNI    bool // no certificate for clients that name no known host
	NoCANames    bool // clients are not told whose certificates are good
	CAVerify     *File
	TicketKeys   *File // that nodes share; nil: made by chance, and changed every day
	// CAIgnore and CertIgnore are numbers of errors (openssl-verify(1)) of
	// authorities and of the client's own certificate that are let pass.
	CAIgnore, CertIgnore IgnoredErrors
	// Sources are the files and directories named on the line, in order.
	Sources []CertificateSource
}

// CertificateSource is one crt or crt-list.
type CertificateSource struct {
	Path  string
	List  bool
	Dir   bool       // every certificate in it, also one that comes later
	Lines []ListLine // of a list
}

// ListLine is one certificate of a crt-list.
type ListLine struct {
	Number  int
	Path    string
	Options []string
	Filters []string
}

// IgnoredErrors are numbers of verification errors.
type IgnoredErrors struct {
	All     bool
	Numbers []int
}

// Certificate is one certificate with its key.
type Certificate struct {
	// Files are the file that was named, and those that stand beside it with
	// the rest: FILE.key, FILE.issuer, FILE.ocsp, FILE.sctl.
	Files []File
	// Filters are the names it is for instead of those it holds, from a
	// crt-list; "!" before a name takes it out.
	Filters []string
	// Own replaces the bind line's settings for its names; nil leaves them.
	Own *BindTLS
}

// ServerTLS is "ssl" on a server line.
type ServerTLS struct {
	TLS
	Certificate *Certificate // shown to the server when it asks; nil means none
	VerifyHost  string       // name the server's certificate must hold
	SNI         *expr.Fetch  // the name to ask for; nil means none
	// NoReuse asks for a whole handshake on every connection.
	NoReuse bool
	// Check says that health checks are encrypted as the traffic is.
	Check bool
}
