package logline

import "time"

// Level is a syslog severity (RFC 5424 section 6.2.1).
type Level int

// Levels, most severe first.
const (
	Emerg Level = iota
	Alert
	Crit
	Err
	Warning
	Notice
	Info
	Debug
)

// Form is the shape of what stands in front of a line (manual, "log").
type Form uint8

// Forms.
const (
	Local Form = iota // RFC 3164 without the host name; HAProxy's default
	RFC3164
	RFC5424
	Priority // only "<PRI>"
	Short    // "<N>", for systemd
	Timed    // "<N>" and an ISO date, for systemd
	ISO      // an ISO date
	Raw      // nothing
)

// ParseForm returns the form of this name ("local", "rfc3164", "rfc5424",
// "priority", "short", "timed", "iso", "raw"); empty is Local.
func ParseForm(name string) (f Form, ok bool) { return 0, false }

// Header puts headers in front of lines for one target. It is immutable.
type Header struct {
	Form     Form
	Facility int    // 0..23
	MinLevel Level  // messages more severe than this are sent as this
	MaxLevel Level  // messages less severe than this are not sent
	MaxLen   int    // of a message in bytes; 0 is 1024
	Tag      string // "haproxy"
	Host     string // empty leaves it out where the form allows it
	PID      int
}

// Wants reports whether a message of this level is sent at all.
func (h *Header) Wants(l Level) bool { return false }

// Append appends the header, line and its end as one datagram, cut to MaxLen.
func (h *Header) Append(dst []byte, l Level, now time.Time, line []byte, d *Dates) []byte { return dst }

// Dates caches formatted dates by second. It belongs to one loop. The zero
// value formats UTC; set Zone before first use.
type Dates struct {
	Zone *time.Location
}
