package proxy

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"herald/proxy/settings"
)

// Options are what the process gives a Server beside its configuration.
type Options struct {
	// Loops is how many event loops run; 0 means nbthread, or one per
	// processor.
	Loops int
	// Version is shown on the statistics page.
	Version string
	// ReleaseDate of the version, "2026/11/22", for the runtime API.
	ReleaseDate string
	// Node is shown on the statistics page and in HAProxy's %H; the host's
	// name.
	Node string
	// Pid is the process id in log lines and on the statistics page.
	Pid int
	// OpenLog opens the way to one log target. It is called by New, before
	// the process gives up its root directory. Nil sends no logs.
	OpenLog func(settings.LogTarget) (Sink, error)
	// Resolve returns the addresses of a server's name. It is called by New;
	// nil asks the system's resolver.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	// Notice takes lines for the process's own log (not traffic): nil drops
	// them.
	Notice func(line string)
	// Changed is called, by any goroutine, when Memory has something new that
	// is not a mere count; it must not block. Nil is not called.
	Changed func()
}

// Sink takes finished log lines, header included. Send is called by event
// loops, at any time from several at once: it must never block, and must not
// keep line. It reports whether the line was taken.
type Sink interface {
	Send(line []byte) bool
}

// ManySink is a Sink that may take the lines of a whole turn of a loop for
// less than one by one; Gathers tells, always alike, whether this one does.
// SendMany gets them one behind the other with their ends, sends them in that
// order, and returns how many it could not take. What holds for Send holds
// for it.
type ManySink interface {
	Sink
	Gathers() bool
	SendMany(lines []byte, ends []int) (lost int)
}

// Listener describes one listening address the Server needs. It is
// comparable; Key names it between processes.
type Listener struct {
	Network     string // "tcp", "unix", "abns" or "fd"
	Address     string // "192.0.2.1:80", "[::]:80", ":80" for every IPv4 address, a path, an abstract name, or a descriptor's number
	Interface   string // bound to this interface; empty for all
	Namespace   string // network namespace by name; empty is that of the process
	V6Only      bool
	Transparent bool
	Backlog     int // 0 means the system's largest
	Tune        settings.ListenTuning
	// Sockets is how many sockets to open with SO_REUSEPORT: one for each
	// loop. A unix address has one.
	Sockets int
	Mode    uint32 // of a unix socket; 0 means the umask's
	UID     int    // of a unix socket; -1 means unset
	GID     int
	// Stats says that the address is a `stats socket`, served through
	// AdminListeners, not by the loops.
	Stats bool
}

// Key names the listener: two listeners with the same key are the same
// sockets. The number of sockets is not part of it.
func (l Listener) Key() string {
	var b strings.Builder
	b.WriteString(l.Network)
	b.WriteByte('|')
	b.WriteString(l.Address)
	if l.Interface != "" {
		b.WriteString("|dev=" + l.Interface)
	}
	if l.Namespace != "" {
		b.WriteString("|netns=" + l.Namespace)
	}
	if l.V6Only {
		b.WriteString("|v6only")
	}
	if l.Transparent {
		b.WriteString("|transparent")
	}
	if l.Tune != (settings.ListenTuning{}) {
		fmt.Fprintf(&b, "|%+v", l.Tune)
	}
	if l.Network == "unix" {
		b.WriteString("|" + strconv.FormatUint(uint64(l.Mode), 8) + "|" + strconv.Itoa(l.UID) + "|" + strconv.Itoa(l.GID))
	}
	return b.String()
}

// heartbeat is how often every loop shows that it turns; Serving gives up on
// a loop after three missed beats.
const heartbeat = time.Second
