package admin

import (
	"net"
)

// Server answers runtime commands on any number of listeners.
type Server struct {
	proxy   Proxy
	options Options
}

// New makes a server of p's commands.
func New(p Proxy, o Options) *Server { return &Server{proxy: p, options: o} }

// Serve answers sessions of l at most at level until Close, which also closes
// l. It returns nil after Close, else the error of Accept.
func (s *Server) Serve(l net.Listener, level Level) error { return nil }

// Close ends every session and every Serve, and waits for them.
func (s *Server) Close() error { return nil }

// Do answers the commands of one line as a session at level would print them.
func (s *Server) Do(line string, level Level) string { return "" }
