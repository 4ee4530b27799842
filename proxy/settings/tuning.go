package settings

import "time"

// ListenTuning are options of the system for a listening TCP socket
// (Configuration manual 5.1).
type ListenTuning struct {
	FastOpen    bool          // tfo
	DeferAccept bool          // defer-accept
	MSS         int           // mss, bytes; negative is what is taken off the usual; 0 means the system's
	UserTimeout time.Duration // tcp-ut; 0 means the system's
}

// KeepAliveProbes is how the system probes an idle TCP peer (Configuration
// manual 4.2, "clitcpka-idle" and its kin). 0 means the system's.
type KeepAliveProbes struct {
	Count          int
	Idle, Interval time.Duration // whole seconds
}

// HeaderLines is how many header lines a request or response may have. HAProxy
// counts other things along: the start line in HTTP/1; and in HTTP/2, where it
// takes twice as many, the pseudo-header fields and an end mark.
func (g *Global) HeaderLines(http2, request bool) int {
	n := g.MaxHeaders
	if n == 0 {
		n = 101
	}
	switch {
	case http2 && request:
		n = 2*n - 3 // of its pseudo-header fields :authority is the host line
	case http2:
		n = 2*n - 1
	}
	return max(n-1, 1)
}
