package directive

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"herald/config"
	"herald/config/line"
	"herald/proxy/settings"
)

const sourceSyntax = "ADDRESS[:PORT[-PORT]] [usesrc ADDRESS[:PORT] | client | clientip | hdr_ip(NAME[,N])] [interface NAME]"

var sourceRows = []config.Row[keyword]{
	{Name: "source", Syntax: sourceSyntax, Example: "source 10.1.1.5:20000-30000 interface eth1",
		Doc: "Where connections to the servers come from; \"usesrc\" lets a server see somebody else's address and needs CAP_NET_RAW.",
		Do: keyword{in: backSide, min: 1, max: 5, read: func(c *call) {
			var s settings.Source
			n, err := readSource(&s, c.args)
			if err == nil && n < len(c.args) {
				err = fmt.Errorf("unknown word %q, expected usesrc or interface", c.args[n].Text)
			}
			if err != nil {
				c.reject(min(n, len(c.args)-1), "%v", err)
				return
			}
			c.px.p.Source = s
		}}},
}

// readSource reads an address and what may follow it, and returns the number
// of words it took.
func readSource(s *settings.Source, words []line.Word) (int, error) {
	host, first, last, err := sourceAddress(words[0].Text)
	if err != nil {
		return 0, err
	}
	*s = settings.Source{Host: host, Port: first, LastPort: last}
	n := 1
	for n < len(words) {
		switch words[n].Text {
		case "usesrc":
			if n+1 >= len(words) {
				return n, fmt.Errorf("usesrc: missing ADDRESS, client, clientip or hdr_ip(NAME)")
			}
			if err := readUseSource(s, words[n+1].Text); err != nil {
				return n + 1, err
			}
		case "interface":
			if n+1 >= len(words) {
				return n, fmt.Errorf("interface: missing NAME")
			}
			s.Interface = words[n+1].Text
		default:
			return n, nil
		}
		n += 2
	}
	return n, nil
}

// sourceAddress reads ADDRESS[:PORT[-PORT]]; "*" and "0.0.0.0" leave the
// address to the system.
func sourceAddress(text string) (host string, first, last int, err error) {
	a, err := parseAddress(text)
	switch {
	case err != nil:
		return "", 0, 0, err
	case a.path != "" || a.relative:
		return "", 0, 0, fmt.Errorf("%q is not ADDRESS[:PORT[-PORT]]", text)
	}
	if a.host != "" {
		ip, err := netip.ParseAddr(a.host)
		if err != nil {
			return "", 0, 0, fmt.Errorf("%q is not an IP address", a.host)
		}
		if !ip.IsUnspecified() || a.port > 0 {
			host = ip.String()
		}
	} else if a.port > 0 {
		host = "0.0.0.0"
	}
	return host, a.port, a.last, nil
}

func readUseSource(s *settings.Source, text string) error {
	switch name, argument, isCall := strings.Cut(text, "("); {
	case text == "client":
		s.Use = settings.UseClient
	case text == "clientip":
		s.Use = settings.UseClientIP
	case isCall && name == "hdr_ip" && strings.HasSuffix(argument, ")"):
		header, occurrence, has := strings.Cut(strings.TrimSuffix(argument, ")"), ",")
		s.Use, s.Header, s.Occurrence = settings.UseHeader, strings.ToLower(header), -1
		if has {
			n, err := config.Int(occurrence, -maxOccurrence, maxOccurrence)
			if err != nil || n == 0 {
				return fmt.Errorf("%q is not the number of an occurrence", occurrence)
			}
			s.Occurrence = n
		}
		if header == "" {
			return fmt.Errorf("hdr_ip: missing the header's name")
		}
	default:
		host, port, last, err := sourceAddress(text)
		if err != nil || host == "" || last != port {
			return fmt.Errorf("usesrc: %q is not ADDRESS[:PORT], client, clientip or hdr_ip(NAME)", text)
		}
		s.Use, s.UseHost, s.UsePort = settings.UseAddress, host, port
	}
	return nil
}

// maxOccurrence bounds the number of a header, as HAProxy does.
const maxOccurrence = 10

// wayOptions are server options about the way to the server. "source" takes
// any number of words and is read beside them.
var wayOptions = []config.Row[serverOption]{
	{Name: "check-via-socks4", Example: "server a 10.1.1.20:80 check socks4 127.0.0.1:1080 check-via-socks4",
		Doc: "Checks go by the proxy of socks4 as well.",
		Do:  mark(func(s *settings.Server) { s.Checks.Socks4 = true })},
	{Name: "socks4", Syntax: "ADDRESS:PORT", Example: "server a 10.1.1.20:80 socks4 127.0.0.1:1080",
		Doc: "Connects by a SOCKS4 proxy, which knows IPv4 alone.",
		Do:  serverOption{args: 1, ask: readSocks4}},
	{Name: "no-tfo", Example: "server a 10.1.1.20:80 no-tfo",
		Doc: "Takes back a \"tfo\" of default-server.",
		Do:  mark(func(s *settings.Server) { s.FastOpen = false })},
	{Name: "tcp-ut", Syntax: "TIME", Example: "server a 10.1.1.20:80 tcp-ut 30s",
		Doc: "How long sent data may stay unacknowledged before the connection ends.",
		Do:  interval(func(s *settings.Server) *time.Duration { return &s.UserTimeout })},
	{Name: "tfo", Example: "server a 10.1.1.20:80 tfo",
		Doc: "Sends data with the first segment to a server that has allowed it before (TCP Fast Open).",
		Do:  mark(func(s *settings.Server) { s.FastOpen = true })},
}

func readSocks4(c *call, s *settings.Server, v line.Word) error {
	a, err := parseAddress(v.Text)
	if err == nil {
		err = c.listenable(&a, v.Text)
	}
	switch {
	case err != nil:
		return err
	case a.path != "" || a.host == "" || a.port != a.last:
		return fmt.Errorf("%q is not ADDRESS:PORT", v.Text)
	}
	s.Socks4 = netip.AddrPortFrom(netip.MustParseAddr(a.host), uint16(a.port)).String()
	return nil
}
