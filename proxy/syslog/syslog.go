// Package syslog sends finished log lines: to a unix datagram socket, by UDP,
// or to an inherited descriptor. It never blocks its caller and decides
// nothing: a line that cannot go now is dropped and counted.
//
//	s, err := syslog.Open("unixgram", "/dev/log")
//	if err != nil {
//		return err
//	}
//	defer s.Close()
//	s.Send(line)      // from any goroutine or loop
//	n := s.Dropped()
package syslog

// Sender sends lines to one target. It is safe for concurrent use.
type Sender struct{}

// Open makes a sender for network "unixgram" (a path), "udp" (host:port or
// [v6]:port, port 514 when missing) or "fd" ("stdout", "stderr" or a number).
// A unix socket that does not exist yet is no error: sending tries again.
func Open(network, address string) (*Sender, error) { return &Sender{}, nil }

// Send sends one line, and reports whether it went. It never blocks.
func (s *Sender) Send(line []byte) bool { return false }

// Dropped returns how many lines did not go since Open.
func (s *Sender) Dropped() uint64 { return 0 }

// Close closes the sender's descriptor.
func (s *Sender) Close() error { return nil }
