package settings

import (
	"time"

	"herald/config"
)

// Resolvers is one resolvers section (Configuration manual 5.3.2).
type Resolvers struct {
	Pos         config.Pos
	Name        string
	Nameservers []Nameserver
	Retries     int           // resolve_retries, 3
	Resolve     time.Duration // timeout resolve, 1 s
	Retry       time.Duration // timeout retry, 1 s
	Payload     int           // accepted_payload_size, 512
	Hold        Hold
}

// Nameserver is one server that is asked for names.
type Nameserver struct {
	Name    string
	Network string // "udp", "tcp" or "unixgram"
	Address string // "192.0.2.53:53", or a path
}

// Hold is how long what was known stays in force.
type Hold struct {
	Valid, Obsolete             time.Duration // 10 s, 0
	NX, Timeout, Refused, Other time.Duration // 30 s each
}

// Resolve is how a server line has its name resolved while the proxy runs.
type Resolve struct {
	Section      string // of resolvers; empty means at start only
	PreferIPv4   bool   // resolve-prefer ipv4
	Networks     string // resolve-net, in CIDR form, with commas between
	AllowDup     bool   // resolve-opts allow-dup-ip
	IgnoreWeight bool   // resolve-opts ignore-weight
}

// ResolversNamed returns a section by its name, or nil.
func (c *Config) ResolversNamed(name string) *Resolvers {
	for _, r := range c.Resolvers {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// ByService reports whether the server's place comes from SRV records: its
// name begins with an underscore (RFC 2782) and is resolved while running.
func (s *Server) ByService() bool {
	return s.Resolve.Section != "" && len(s.Host) > 0 && s.Host[0] == '_'
}
