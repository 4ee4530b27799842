package directive

import (
	"fmt"
	"strings"
	"time"

	"herald/config"
	"herald/config/line"
	"herald/proxy/settings"
)

// serverCheckRows are the words of a server line about its checks.
var serverCheckRows = []config.Row[serverOption]{
	{Name: "agent-addr", Syntax: "ADDRESS", Example: "server a 10.1.1.20:80 agent-check agent-port 8081 agent-addr 10.1.1.21",
		Doc: "Address of the server's agent; that of its checks when unset.",
		Do: word(1, func(s *settings.Server, v line.Word) error {
			host, port, err := probedAddress(v.Text)
			if err == nil && (port != 0 || isPath(host)) {
				err = fmt.Errorf("%q: expected a host", v.Text)
			}
			s.Agent.Addr = host
			return err
		})},
	{Name: "agent-check", Example: "server a 10.1.1.20:80 agent-check agent-port 8081",
		Doc: "Asks an agent on the server for its weight, limit and state.",
		Do:  mark(func(s *settings.Server) { s.Agent.Enabled = true })},
	{Name: "agent-inter", Syntax: "TIME", Example: "server a 10.1.1.20:80 agent-check agent-port 8081 agent-inter 5s",
		Doc: "Time between two questions to the agent, and how long an answer may take.",
		Do:  interval(func(s *settings.Server) *time.Duration { return &s.Agent.Inter })},
	{Name: "agent-port", Syntax: "PORT", Example: "server a 10.1.1.20:80 agent-check agent-port 8081",
		Doc: "Port of the agent.",
		Do:  count(func(s *settings.Server) *int { return &s.Agent.Port }, 1, 65535)},
	{Name: "agent-send", Syntax: "TEXT", Example: "server a 10.1.1.20:80 agent-check agent-port 8081 agent-send web\\n",
		Doc: "What the agent is sent before it answers.",
		Do:  word(1, func(s *settings.Server, v line.Word) error { s.Agent.Send = v.Text; return nil })},
	{Name: "check-alpn", Syntax: "LIST", Example: "server a 10.1.1.20:443 check check-ssl verify none check-alpn http/1.1",
		Doc: "Protocols an encrypted health check offers.",
		Do:  word(1, func(s *settings.Server, v line.Word) error { s.Checks.ALPN = v.Text; return nil })},
	{Name: "check-proto", Syntax: "h1 | h2 | none", Example: "server a 10.1.1.20:80 check check-proto h2",
		Doc: "Protocol of HTTP health checks; that of the traffic when unset.",
		Do:  word(1, readCheckProto)},
	{Name: "check-send-proxy", Example: "server a 10.1.1.20:80 check check-send-proxy",
		Doc: "Puts a PROXY header in front of health checks.",
		Do:  mark(func(s *settings.Server) { s.Checks.SendProxy = true })},
	{Name: "check-sni", Syntax: "NAME", Example: "server a 10.1.1.20:443 check check-ssl verify none check-sni www.example",
		Doc: "Server name an encrypted health check asks for.",
		Do: serverOption{args: 1, ask: func(c *call, s *settings.Server, v line.Word) error {
			if strings.ContainsAny(v.Text, "(%") {
				c.diags.Warnf(v.Pos, v.Text, "check-sni: %q is asked for as it is written: a check has no request for an expression to look at", v.Text)
			}
			s.Checks.SNI = v.Text
			return nil
		}}},
	{Name: "check-ssl", Example: "server a 10.1.1.20:443 check check-ssl verify none",
		Doc: "Encrypts health checks; with nothing else to check, the handshake decides.",
		Do:  mark(func(s *settings.Server) { s.Checks.TLS = true })},
	{Name: "no-agent-check", Example: "server a 10.1.1.20:80 no-agent-check",
		Doc: "Takes back an \"agent-check\" of default-server.",
		Do:  mark(func(s *settings.Server) { s.Agent.Enabled = false })},
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
	case "h1", "h2", "none":
		s.Checks.Proto = v.Text
		return nil
	case "fcgi":
		return fmt.Errorf("%q is known to HAProxy but not supported yet for health checks", v.Text)
	}
	return fmt.Errorf("%q is not h1, h2 or none", v.Text)
}
