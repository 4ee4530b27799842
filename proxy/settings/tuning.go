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
