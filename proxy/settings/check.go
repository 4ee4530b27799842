package settings

import (
	"time"

	"herald/proxy/check/script"
)

// Check is the health check of a backend's servers.
type Check struct {
	// Script is what a check does; nil means to connect.
	Script *script.Script
	// External runs a command instead of the script; nil means none.
	External *ExternalCheck
	// Share is option share-checks: equal checks of one address are made once.
	Share bool
}

// ExternalCheck is option external-check.
type ExternalCheck struct {
	Command string
	Path    string // the command's PATH; empty means the usual one
}

// Agent is the agent check of a server.
type Agent struct {
	Enabled bool
	Port    int
	Addr    string        // that of the checks, then the server's, when empty
	Inter   time.Duration // 0 means 2 s
	Send    string
}

// ServerCheck is how the checks of one server differ from its traffic.
type ServerCheck struct {
	TLS       bool // check-ssl
	SNI       string
	ALPN      string // comma-separated
	Proto     string // check-proto; empty means the one of the check
	SendProxy bool
	Socks4    bool // check-via-socks4
}
