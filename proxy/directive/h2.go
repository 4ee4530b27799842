package directive

import (
	"fmt"

	"herald/config"
	"herald/config/line"
	"herald/proxy/settings"
)

var h2GlobalRows = []config.Row[keyword]{
	{Name: "h2-workaround-bogus-websocket-clients", Example: "h2-workaround-bogus-websocket-clients",
		Doc: "Does not tell HTTP/2 clients that they may begin WebSockets, so that they use HTTP/1 for them.",
		Do: keyword{in: inGlobal, negate: true, read: func(c *call) {
			c.cfg.Global.H2.NoWebSockets = !c.line.Negated && !c.line.Defaulted
		}}},
	value("tune.h2.header-table-size", "SIZE", "4096", "Bytes of the header table an HTTP/2 peer may fill.",
		h2Number(func(h *settings.H2) *int { return &h.TableSize }, 4096, 65536)),
	value("tune.h2.initial-window-size", "SIZE", "65535", "Bytes an HTTP/2 peer may send ahead on each stream.",
		h2Number(func(h *settings.H2) *int { return &h.Window }, 1, maxCount)),
	value("tune.h2.max-concurrent-streams", "N", "100", "Requests an HTTP/2 client may have open at a time on one connection.",
		h2Number(func(h *settings.H2) *int { return &h.MaxStreams }, 0, maxCount)),
	value("tune.h2.max-frame-size", "SIZE", "16384", "Bytes of the largest frame an HTTP/2 peer may send.",
		h2Number(func(h *settings.H2) *int { return &h.FrameSize }, 16384, 16777215)),
}

func h2Number(field func(*settings.H2) *int, lo, hi int) func(*call, *settings.Global) {
	return func(c *call, g *settings.Global) {
		if n, ok := c.number(0, lo, hi); ok {
			*field(&g.H2) = n
		}
	}
}

var h2OptionRows = []config.Row[keyword]{
	toggle("disable-h2-upgrade", frontSide, "Takes a connection that begins like HTTP/2 for a malformed HTTP/1 request.",
		func(p *settings.Proxy) *bool { return &p.DisableH2Upgrade }),
}

// readProto reads the protocol of a bind or server line.
func readProto(to *string, v line.Word) error {
	if v.Text != "h1" && v.Text != "h2" {
		return fmt.Errorf("%q is not h1 or h2", v.Text)
	}
	*to = v.Text
	return nil
}

func readWebSockets(s *settings.Server, v line.Word) error {
	protocols := map[string]settings.WebSockets{"auto": settings.WebSocketsAuto, "h1": settings.WebSocketsH1, "h2": settings.WebSocketsH2}
	p, ok := protocols[v.Text]
	if !ok {
		return fmt.Errorf("%q is not auto, h1 or h2", v.Text)
	}
	s.WebSockets = p
	return nil
}

// refuseProtocols reports HTTP protocols in mode tcp.
func (b *builder) refuseProtocols(p *settings.Proxy) {
	for i := range p.Binds {
		if w := &p.Binds[i]; w.Proto != "" {
			b.cross(w.Pos, config.Error, w.Proto, "%q: protocol %q is not usable in mode tcp", p.Name, w.Proto)
		}
	}
	for i := range p.Servers {
		if s := &p.Servers[i]; s.Proto != "" {
			b.cross(s.Pos, config.Error, s.Proto, "%q: protocol %q of server %q is not usable in mode tcp", p.Name, s.Proto, s.Name)
		}
	}
}
