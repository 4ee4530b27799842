package directive

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"herald/config"
)

// address is a parsed bind or server address (manual, "bind" and "server").
type address struct {
	family   byte   // '4' or '6' when a prefix forced it
	host     string // "" and "*" mean any address
	port     int
	last     int    // end of a range, port otherwise
	hasPort  bool   // a port was written
	relative bool   // "+N" or "-N": relative to the port the client used
	path     string // of a unix socket
	kind     string // "abns" or "fd": what path is instead
	sign     int    // of a relative port
}

// unsupportedAddress is an address family HAProxy knows and this program does
// not listen on or connect to.
type unsupportedAddress struct{ prefix string }

func (e unsupportedAddress) Error() string {
	return fmt.Sprintf("address family %q is known to HAProxy but not supported yet", e.prefix)
}

// familyPrefixes are the words that may stand before "@".
var familyPrefixes = map[string]byte{
	"ipv4": '4', "ipv6": '6', "tcp": 0, "tcp4": '4', "tcp6": '6', "stream": 0, "stream+ipv4": '4', "stream+ipv6": '6',
}

// laterPrefixes are those that HAProxy has beside them.
var laterPrefixes = []string{"dgram", "dgram+ipv4", "dgram+ipv6", "dgram+unix", "quic4", "quic6", "sockpair", "udp", "udp4", "udp6", "uxdg"}

// parseAddress reads one address without looking anything up.
func parseAddress(text string) (address, error) {
	var a address
	if prefix, rest, ok := strings.Cut(text, "@"); ok && !strings.ContainsAny(prefix, "/:[") {
		if prefix == "unix" || prefix == "uxst" || prefix == "stream+unix" {
			if rest == "" {
				return a, fmt.Errorf("%q has no path", text)
			}
			a.path = rest
			return a, nil
		}
		if prefix == "abns" || prefix == "fd" {
			if rest == "" {
				return a, fmt.Errorf("%q has no name", text)
			}
			a.kind, a.path = prefix, rest
			if prefix == "fd" {
				return a, inherited(rest)
			}
			return a, nil
		}
		family, known := familyPrefixes[prefix]
		if !known && slices.Contains(laterPrefixes, prefix) {
			return a, unsupportedAddress{prefix: prefix + "@"}
		}
		if !known {
			return a, fmt.Errorf("%q is no address family that stands before \"@\"", prefix)
		}
		a.family, text = family, rest
	}
	if strings.HasPrefix(text, "/") {
		a.path = text
		return a, nil
	}
	host, port, err := splitPort(text)
	if err != nil {
		return a, err
	}
	if host != "*" {
		a.host = host
	}
	if ip, err := netip.ParseAddr(a.host); err == nil && (a.family == '4' && !ip.Is4() || a.family == '6' && !ip.Is6()) {
		return a, fmt.Errorf("%q is not an IPv%c address", a.host, a.family)
	}
	return a, a.setPort(port)
}

// probedAddress reads where checks go: a host or the path of a unix socket,
// which begins with "@" in the abstract namespace, and a port, 0 without one.
func probedAddress(text string) (host string, port int, err error) {
	if _, err := netip.ParseAddr(text); err == nil { // IPv6 without brackets, too
		return text, 0, nil
	}
	a, err := parseAddress(text)
	switch {
	case err != nil:
		return "", 0, err
	case a.kind == "fd":
		return "", 0, fmt.Errorf("%q: nothing can be sent to a listener", text)
	case a.kind == "abns":
		return "@" + a.path, 0, nil
	case a.path != "":
		return a.path, 0, nil
	case a.relative || a.last != a.port:
		return "", 0, fmt.Errorf("%q: expected one port", text)
	case a.host == "":
		a.host = "0.0.0.0"
	}
	return a.host, a.port, nil
}

// isPath tells the path of a unix socket, or a name in the abstract namespace,
// from a host, in what probedAddress answered.
func isPath(text string) bool { return strings.HasPrefix(text, "/") || strings.HasPrefix(text, "@") }

// splitPort cuts at the last colon; brackets protect an IPv6 address.
func splitPort(text string) (host, port string, err error) {
	if strings.HasPrefix(text, "[") {
		inner, rest, ok := strings.Cut(text[1:], "]")
		if !ok || rest != "" && rest[0] != ':' {
			return "", "", fmt.Errorf("%q is not an address, expected [ADDRESS]:PORT", text)
		}
		return inner, strings.TrimPrefix(rest, ":"), nil
	}
	i := strings.LastIndexByte(text, ':')
	if i < 0 {
		return text, "", nil
	}
	return text[:i], text[i+1:], nil
}

func (a *address) setPort(text string) error {
	if text == "" {
		return nil
	}
	a.hasPort = true
	if text[0] == '+' || text[0] == '-' {
		a.relative, a.sign = true, 1
		if text[0] == '-' {
			a.sign = -1
		}
		text = text[1:]
	}
	first, last, isRange := strings.Cut(text, "-")
	var err error
	if a.port, err = config.Int(first, 0, 65535); err != nil {
		return fmt.Errorf("port: %w", err)
	}
	a.last = a.port
	if isRange {
		if a.last, err = config.Int(last, 0, 65535); err != nil {
			return fmt.Errorf("port range: %w", err)
		}
		if a.last < a.port {
			return fmt.Errorf("port range %q runs backwards", text)
		}
	}
	return nil
}
