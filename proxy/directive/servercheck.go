package directive

import (
	"fmt"

	"herald/config"
	"herald/config/line"
	"herald/proxy/settings"
)

// serverCheckRows are the words of a server line about its checks.
var serverCheckRows = []config.Row[serverOption]{
	{Name: "check-alpn", Syntax: "LIST", Example: "server a 10.1.1.20:443 check check-ssl verify none check-alpn http/1.1",
		Doc: "Protocols an encrypted health check offers.",
		Do:  word(1, func(s *settings.Server, v line.Word) error { s.Checks.ALPN = v.Text; return nil })},
	{Name: "check-proto", Syntax: "h1 | none", Example: "server a 10.1.1.20:80 check check-proto h1",
		Doc: "Protocol of health checks, which follows from the check when unset.",
		Do:  word(1, readCheckProto)},
	{Name: "check-send-proxy", Example: "server a 10.1.1.20:80 check check-send-proxy",
		Doc: "Puts a PROXY header in front of health checks.",
		Do:  mark(func(s *settings.Server) { s.Checks.SendProxy = true })},
	{Name: "check-sni", Syntax: "NAME", Example: "server a 10.1.1.20:443 check check-ssl verify none check-sni www.example",
		Doc: "Server name an encrypted health check asks for.",
		Do:  word(1, func(s *settings.Server, v line.Word) error { s.Checks.SNI = v.Text; return nil })},
	{Name: "check-ssl", Example: "server a 10.1.1.20:443 check check-ssl verify none",
		Doc: "Encrypts health checks; with nothing else to check, the handshake decides.",
		Do:  mark(func(s *settings.Server) { s.Checks.TLS = true })},
	{Name: "no-check-send-proxy", Example: "server a 10.1.1.20:80 no-check-send-proxy",
		Doc: "Takes back a \"check-send-proxy\" of default-server.",
		Do:  mark(func(s *settings.Server) { s.Checks.SendProxy = false })},
	{Name: "no-check-ssl", Example: "server a 10.1.1.20:80 no-check-ssl",
		Doc: "Takes back a \"check-ssl\" of default-server.",
		Do:  mark(func(s *settings.Server) { s.Checks.TLS = false })},
}

// readCheckProto accepts the protocols a check speaks anyway.
func readCheckProto(s *settings.Server, v line.Word) error {
	switch v.Text {
	case "h1", "none":
		s.Checks.Proto = v.Text
		return nil
	case "h2", "fcgi":
		return fmt.Errorf("%q is known to HAProxy but not supported yet for health checks", v.Text)
	}
	return fmt.Errorf("%q is not h1 or none", v.Text)
}
