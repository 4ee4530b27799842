package directive

import (
	"strings"
	"testing"

	"herald/proxy/settings"
)

func TestTheWordsOfHTTP2ReachTheSettings(t *testing.T) {
	cfg, diags := build("global\n tune.h2.max-concurrent-streams 50\n tune.h2.initial-window-size 100000\n tune.h2.header-table-size 8192\n tune.h2.max-frame-size 20000\n h2-workaround-bogus-websocket-clients\n"+
		"listen l\n mode http\n timeout client 1s\n bind :80-81 proto h2\n option disable-h2-upgrade\n"+
		" timeout connect 1s\n timeout server 1s\n server a 10.0.0.1:80 proto h2 ws h1\n", world)
	for _, d := range diags {
		t.Errorf("unexpected %v", d)
	}
	if h := cfg.Global.H2; h.MaxStreams != 50 || h.Window != 100000 || h.TableSize != 8192 || h.FrameSize != 20000 || !h.NoWebSockets {
		t.Errorf("global: got %+v", h)
	}
	p := cfg.Proxies[0]
	if s := p.Servers[0]; s.Proto != "h2" || s.WebSockets != settings.WebSocketsH1 {
		t.Errorf("server: got %+v", s)
	}
	if !p.DisableH2Upgrade || p.Binds[0].Proto != "h2" || p.Binds[1].Proto != "h2" {
		t.Errorf("proxy: got %v, %+v", p.DisableH2Upgrade, p.Binds)
	}
}

func TestAProtocolThatIsNoneIsRefused(t *testing.T) {
	_, diags := build("listen l\n mode http\n timeout client 1s\n bind :80 proto spdy\n", world)
	if len(diags) != 1 || !strings.Contains(diags[0].Message, `"spdy" is not h1 or h2`) {
		t.Errorf("got %v", diags)
	}
}

func TestProtocolsOfHTTPAreRefusedInModeTCP(t *testing.T) {
	_, diags := build("listen l\n bind :80 proto h2\n timeout client 1s\n timeout connect 1s\n timeout server 1s\n server a 10.0.0.1:80 proto h1\n", world)
	if len(diags) != 2 || !strings.Contains(diags[0].Message, `protocol "h2" is not usable in mode tcp`) || !strings.Contains(diags[1].Message, `protocol "h1" of server "a"`) {
		t.Errorf("got %v", diags)
	}
}
