// Package admin speaks HAProxy's runtime API: the commands of the stats
// socket (Management Guide 9.3).
//
// It changes nothing itself: commands read a stats.Snapshot and call the Proxy
// the engine gives. It does not open sockets and knows no configuration.
//
//	srv := admin.New(engine, admin.Options{Timeout: 10 * time.Second})
//	go srv.Serve(listener, settings.LevelAdmin)
//	...
//	srv.Close() // closes every session and waits
package admin

import (
	"errors"
	"time"

	"herald/stats"
)

// Proxy is the engine as the commands see it. Names are those of the
// configuration; methods are called from many goroutines. An error's text is
// what the operator reads, so it begins with a capital as HAProxy's do; the
// No* errors of this package give the usual ones.
type Proxy interface {
	// Snapshot answers the statistics of this moment.
	Snapshot() stats.Snapshot
	// SetServerState puts a server in a state.
	SetServerState(backend, server string, s ServerState) error
	// SetServerHealth forces the health of a checked server.
	SetServerHealth(backend, server string, h ServerHealth) error
	// SetServerCheck switches the health checks of a server.
	SetServerCheck(backend, server string, on bool) error
	// SetServerAgentCheck switches the agent checks of a server.
	SetServerAgentCheck(backend, server string, on bool) error
	// SetServerAgent forces what the agent of a server says.
	SetServerAgent(backend, server string, up bool) error
	// SetServerCheckAddr sets where health checks go; an empty host and a
	// negative port leave what is there.
	SetServerCheckAddr(backend, server, host string, port int) error
	// SetServerAgentAddr sets where the agent is asked, in the same way.
	SetServerAgentAddr(backend, server, host string, port int) error
	// SetServerAgentSend sets what the agent is sent.
	SetServerAgentSend(backend, server, text string) error
	// SetServerWeight sets the weight in force, 0..256.
	SetServerWeight(backend, server string, weight int) error
	// SetServerAddr sets the address of a server, and its port unless 0.
	SetServerAddr(backend, server, host string, port int) error
	// SetServerName lets the server's address come from another name, and
	// answers the name before; NoResolution where none is resolved.
	SetServerName(backend, server, name string) (was string, err error)
	// Resolvers answers the resolvers sections.
	Resolvers() []Resolvers
	// SetServerMaxConn sets the server's maxconn; 0 means no limit.
	SetServerMaxConn(backend, server string, n int) error
	// SetFrontendMaxConn sets the frontend's maxconn.
	SetFrontendMaxConn(frontend string, n int) error
	// SetMaxConn sets the process-wide maxconn, 0 the configured one.
	SetMaxConn(n int) error
	// SetMaxRate sets a rate's limit in events a second; 0 means none.
	SetMaxRate(of Rate, n int) error
	// SetFrontend pauses (false) or resumes a frontend's listeners.
	SetFrontend(frontend string, on bool) error
	// ShutdownServerSessions ends every session on a server.
	ShutdownServerSessions(backend, server string) error
	// ShutdownSession ends one session by its ID; false when there is none.
	ShutdownSession(id uint64) bool
	// Sessions answers the sessions of this moment, oldest first.
	Sessions() []Session
	// Certificates answers the certificates in use, sorted by path.
	Certificates() []Certificate
	// TryCertificate reads files as those of the certificate at path, with
	// those in use for what is not given; nothing is changed.
	TryCertificate(path string, files map[string][]byte) (Certificate, error)
	// ReplaceCertificate uses files in place of those in use.
	ReplaceCertificate(files map[string][]byte) error
	// CertificateLists answers the crt-lists, each once.
	CertificateLists() []CertificateList
	// ClearCounters resets the maxima, or with all every counter.
	ClearCounters(all bool)
}

// ServerState is an administrative state of `set server B/S state`.
type ServerState int

// Administrative states.
const (
	StateReady ServerState = iota
	StateDrain
	StateMaint
)

// ServerHealth is an operand of `set server B/S health`.
type ServerHealth int

// Forced healths.
const (
	HealthUp ServerHealth = iota
	HealthStopping
	HealthDown
)

// Rate is one that `set rate-limit` bounds.
type Rate int

// Rates of the process: connections accepted, those that rules let in, and
// those with TLS among these.
const (
	RateConnections Rate = iota
	RateSessions
	RateTLSSessions
)

// Errors a Proxy answers, with HAProxy's texts.
var (
	NoSuchBackend  = errors.New("No such backend.")
	NoSuchServer   = errors.New("No such server.")
	NoSuchFrontend = errors.New("No such frontend.")
	// StaticWeight answers SetServerWeight of a backend whose algorithm does
	// not follow weights.
	StaticWeight = errors.New("Backend is using a static LB algorithm and only accepts weights '0%' and '100%'.")
	// TrackingServer answers SetServerHealth of one that tracks another.
	TrackingServer = errors.New("cannot change health on a tracking server.")
	// NoHealthCheck answers SetServerCheck(…, true) of a server without "check".
	NoHealthCheck = errors.New("Health check was not configured on this server, cannot enable.")
	// NoAgentCheck answers SetServerAgentCheck(…, true) of a server without
	// "agent-check".
	NoAgentCheck = errors.New("Agent was not configured on this server, cannot enable.")
)

// Session is one line of `show sess`.
type Session struct {
	ID       uint64
	Proto    string // "tcpv4", "tcpv6", "unix_stream"
	Source   string // "10.0.0.9:40522"
	Frontend string
	Backend  string // "<NONE>" is shown when empty
	Server   string // "<none>" is shown when empty
	Age      time.Duration
	Calls    uint64        // events handled
	Expires  time.Duration // until the next timeout; 0 means none
}

// Options of a Server.
type Options struct {
	// Timeout ends a session that says nothing for so long (stats timeout); 0
	// means 10 s.
	Timeout time.Duration
	// MaxSessions is how many sessions are served at once (stats maxconn);
	// others wait to be accepted. 0 means 10.
	MaxSessions int
	// Env is what `show env` prints, "NAME=VALUE".
	Env []string
	// Sockets are what `show cli sockets` prints.
	Sockets []Socket
}

// Socket is one stats socket.
type Socket struct {
	Address string // "unix@/var/lib/haproxy/status"
	Level   Level
}

// Level is what a session may do.
type Level int

// Levels in rising order, numbered as proxy/settings does.
const (
	User Level = iota
	Operator
	Admin
)
