package logline

import (
	"strconv"
	"time"
)

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
	Local    Form = iota // RFC 3164 without the host name; HAProxy's default
	RFC3164              // with the host name
	RFC5424              // version 1, microseconds, no structured data
	Priority             // only "<PRI>"
	Short                // "<N>" with the severity alone, for systemd
	Timed                // the same and an ISO date
	ISO                  // an ISO date
	Raw                  // nothing
)

var formNames = []string{Local: "local", RFC3164: "rfc3164", RFC5424: "rfc5424", Priority: "priority", Short: "short", Timed: "timed", ISO: "iso", Raw: "raw"}

// ParseForm returns the form of this name ("local", "rfc3164", "rfc5424",
// "priority", "short", "timed", "iso", "raw"); the empty name is Local.
func ParseForm(name string) (f Form, ok bool) {
	for f, n := range formNames {
		if n == name {
			return Form(f), true
		}
	}
	return Local, name == ""
}

// Header puts headers in front of lines for one target. It is immutable.
type Header struct {
	Form     Form
	Facility int    // 0..23
	MinLevel Level  // messages more severe than this are sent as this
	MaxLevel Level  // messages less severe than this are not sent
	MaxLen   int    // of a message in bytes; 0 is 1024
	Tag      string // "haproxy"
	Host     string // empty is "localhost" in RFC 3164 and "-" in RFC 5424
	PID      int
}

const defaultMaxLen = 1024

// Wants reports whether a message of this level is sent at all.
func (h *Header) Wants(l Level) bool { return l <= h.MaxLevel }

// Append appends header, line and a line end as one message of MaxLen bytes at
// most, the line cut to fit. As HAProxy counts, the line end comes on top
// where there is a header.
func (h *Header) Append(dst []byte, l Level, now time.Time, line []byte, d *Dates) []byte {
	start := len(dst)
	dst = h.appendHead(dst, max(l, h.MinLevel), now, d)
	most := h.MaxLen
	if most <= 0 {
		most = defaultMaxLen
	}
	if h.Form == Raw {
		most--
	}
	room := max(0, most-(len(dst)-start))
	dst = append(dst, line[:min(len(line), room)]...)
	return append(dst, '\n')
}

func (h *Header) appendHead(dst []byte, l Level, now time.Time, d *Dates) []byte {
	switch h.Form {
	case Raw:
	case ISO:
		dst = appendISO(dst, now, d)
	case Short:
		dst = appendPriority(dst, int(l))
	case Timed:
		dst = appendISO(appendPriority(dst, int(l)), now, d)
	case Priority:
		dst = appendPriority(dst, h.Facility*8+int(l))
	case RFC5424:
		dst = append(appendPriority(dst, h.Facility*8+int(l)), "1 "...)
		dst = appendISO(dst, now, d)
		dst = appendOr(dst, h.Host, "-")
		dst = appendOr(append(dst, ' '), h.Tag, "-")
		dst = strconv.AppendInt(append(dst, ' '), int64(h.PID), 10)
		dst = append(dst, " - - "...)
	default:
		dst = appendPriority(dst, h.Facility*8+int(l))
		dst = append(dst, d.second(now).header[:]...)
		dst = append(dst, ' ')
		if h.Form == RFC3164 {
			dst = append(appendOr(dst, h.Host, "localhost"), ' ')
		}
		dst = append(append(dst, h.Tag...), '[')
		dst = append(strconv.AppendInt(dst, int64(h.PID), 10), "]: "...)
	}
	return dst
}

func appendPriority(dst []byte, n int) []byte {
	return append(strconv.AppendInt(append(dst, '<'), int64(n), 10), '>')
}

func appendOr(dst []byte, s, otherwise string) []byte {
	if s == "" {
		s = otherwise
	}
	return append(dst, s...)
}

// appendISO appends 2026-11-22T16:12:20.433373+00:00 and a space.
func appendISO(dst []byte, now time.Time, d *Dates) []byte {
	s := d.second(now)
	dst = append(append(dst, s.iso[:]...), '.')
	dst = appendPadded(dst, now.Nanosecond()/1e3, 6)
	dst = append(append(dst, s.zone[:3]...), ':')
	return append(append(dst, s.zone[3:]...), ' ')
}
