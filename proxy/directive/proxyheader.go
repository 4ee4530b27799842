package directive

import (
	"fmt"
	"strings"

	"herald/config"
	"herald/config/line"
	"herald/proxy/settings"
)

// acceptProxy is the bind option.
var acceptProxy = config.Row[bindOption]{Name: "accept-proxy", Example: "bind :80 accept-proxy",
	Doc: "Expects the PROXY protocol, version 1 or 2, from everyone who connects, and believes the addresses in it.",
	Do: bindOption{0, func(_ *call, b *settings.Bind, _ *settings.StatsSocket, _ line.Word) error {
		b.AcceptProxy = true
		return nil
	}}}

// sends makes the row of a server option that asks for a header, and off that
// of its opposite.
func sends(name, doc string, set func(h *settings.ProxyHeader)) config.Row[serverOption] {
	return config.Row[serverOption]{Name: name, Example: "server a 10.1.1.20:80 " + name, Doc: doc,
		Do: mark(func(s *settings.Server) { set(&s.SendProxy) })}
}

func sendsNot(name string) config.Row[serverOption] {
	return sends("no-"+name, "Takes back a \""+name+"\" of default-server.", func(h *settings.ProxyHeader) { *h = settings.ProxyHeader{} })
}

var proxyHeaderOptions = []config.Row[serverOption]{
	{Name: "proxy-v2-options", Syntax: "OPTION[,...]", Example: "server a 10.1.1.20:80 send-proxy-v2 proxy-v2-options crc32c,authority",
		Doc: "What a PROXY header of version 2 tells besides the addresses: ssl, cert-cn, ssl-cipher, cert-sig, cert-key, authority, crc32c, unique-id.",
		Do:  word(1, readProxyV2Options)},
	sends("send-proxy", "Sends the PROXY protocol's header, version 1, at the beginning of each connection.",
		func(h *settings.ProxyHeader) { h.Version = max(h.Version, 1) }),
	sends("send-proxy-v2", "Sends the PROXY protocol's header, version 2.",
		func(h *settings.ProxyHeader) { h.Version = 2 }),
	sends("send-proxy-v2-ssl", "Sends the PROXY protocol's header, version 2, with what is known of the client's TLS.",
		func(h *settings.ProxyHeader) { h.Version, h.SSL = 2, true }),
	sends("send-proxy-v2-ssl-cn", "Sends the PROXY protocol's header, version 2, with the client's TLS and the name in its certificate.",
		func(h *settings.ProxyHeader) { h.Version, h.SSL, h.CN = 2, true, true }),
	sendsNot("send-proxy"),
	sendsNot("send-proxy-v2"),
	sendsNot("send-proxy-v2-ssl"),
	sendsNot("send-proxy-v2-ssl-cn"),
}

func readProxyV2Options(s *settings.Server, v line.Word) error {
	h := &s.SendProxy
	known := []string{"ssl", "cert-cn", "ssl-cipher", "cert-sig", "cert-key", "authority", "crc32c", "unique-id"}
	fields := []*bool{&h.SSL, &h.CN, &h.Cipher, &h.SigAlg, &h.KeyAlg, &h.Authority, &h.CRC32C, &h.UniqueID}
next:
	for name := range strings.SplitSeq(v.Text, ",") {
		for i, k := range known {
			if k != name {
				continue
			}
			*fields[i] = true
			if i >= 1 && i <= 4 { // they are within the TLS field
				h.SSL = true
			}
			continue next
		}
		return fmt.Errorf("%q is not one of %s", name, strings.Join(known, ", "))
	}
	return nil
}
