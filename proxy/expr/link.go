package expr

import (
	"fmt"
	"net/netip"

	"herald/config"
)

// linkRows are fetches of connections (Configuration manual 7.3.3).
var linkRows = []config.Row[Kind]{
	row("bc_dst", "The address of the server.", "bc_dst 10.0.0.1", serving(linkAddr(ServerSide, destinationOf))),
	row("bc_dst_port", "The port of the server.", "bc_dst_port 80", serving(linkPort(ServerSide, destinationOf))),
	row("bc_http_major", "The version of HTTP spoken with the server: 1 or 2.", "bc_http_major 2", serving(linkNumber(ServerSide, func(l *Link) int64 { return int64(l.Major) }))),
	row("bc_src", "Our address on the connection to the server.", "bc_src 10.0.0.1", serving(linkAddr(ServerSide, sourceOf))),
	row("bc_src_port", "Our port on the connection to the server.", "bc_src_port gt 1024", serving(linkPort(ServerSide, sourceOf))),
	row("dst", "The address the client connected to.", "dst 10.0.0.1", Kind{Type: Addr, Make: plain(destination)}),
	row("dst_conn", "How many connections the listener has now.", "dst_conn gt 100", number(ListenerConnections, "")),
	row("dst_port", "The port the client connected to.", "dst_port 443", Kind{Type: Int, Make: plain(destinationPort)}),
	row("fc_dst", "The address the client connected to.", "fc_dst 10.0.0.1", Kind{Type: Addr, Make: plain(destination)}),
	row("fc_dst_port", "The port the client connected to.", "fc_dst_port 443", Kind{Type: Int, Make: plain(destinationPort)}),
	row("fc_fackets", "Forward acknowledgements of the client's connection (tcp_info).", "fc_fackets gt 1", tcpNumber(func(t *TCP) uint32 { return t.Fackets })),
	row("fc_http_major", "The version of HTTP spoken with the client: 1 or 2.", "fc_http_major 2", Kind{Type: Int, Needs: Session, Make: plain(func(in *Input, v *Value) Outcome {
		switch {
		case in.HTTP2:
			return v.whole(2)
		case in.Head != nil:
			return v.whole(1)
		}
		l, _ := in.link(ClientSide)
		if l.Major == 0 {
			return Missing
		}
		return v.whole(int64(l.Major))
	})}),
	row("fc_lost", "Segments lost towards the client (tcp_info).", "fc_lost gt 1", tcpNumber(func(t *TCP) uint32 { return t.Lost })),
	row("fc_pp_authority", "The name of a PROXY header: that the client asked the proxy in front for.", "fc_pp_authority www.example.com", linkText(func(l *Link) []byte { return l.Authority })),
	row("fc_pp_unique_id", "The identifier in a PROXY header.", "fc_pp_unique_id -m found", linkText(func(l *Link) []byte { return l.UniqueID })),
	row("fc_rcvd_proxy", "Whether the client began with a PROXY header.", "fc_rcvd_proxy", Kind{Type: Bool, Needs: Session, Make: plain(func(in *Input, v *Value) Outcome {
		l, _ := in.link(ClientSide)
		return v.boolean(l.Proxied)
	})}),
	row("fc_reordering", "Reordering towards the client (tcp_info).", "fc_reordering gt 3", tcpNumber(func(t *TCP) uint32 { return t.Reordering })),
	row("fc_retrans", "Segments sent again to the client (tcp_info).", "fc_retrans gt 1", tcpNumber(func(t *TCP) uint32 { return t.Retransmitted })),
	row("fc_rtt", "Round trip time of the client's connection in milliseconds, or in us.", "fc_rtt gt 100", tcpTime(func(t *TCP) uint32 { return t.RTT })),
	row("fc_rttvar", "Its variance.", "fc_rttvar gt 100", tcpTime(func(t *TCP) uint32 { return t.RTTVariance })),
	row("fc_sacked", "Segments acknowledged selectively (tcp_info).", "fc_sacked gt 1", tcpNumber(func(t *TCP) uint32 { return t.Sacked })),
	row("fc_src", "The client's address.", "fc_src 10.0.0.0/8", Kind{Type: Addr, Make: plain(source)}),
	row("fc_src_port", "The client's port.", "fc_src_port lt 1024", Kind{Type: Int, Make: plain(sourcePort)}),
	row("fc_unacked", "Segments not yet acknowledged (tcp_info).", "fc_unacked gt 1", tcpNumber(func(t *TCP) uint32 { return t.Unacked })),
	row("so_id", "The number of the listener.", "so_id 2", number(ListenerID, "")),
	row("so_name", "The name of the listener (bind ... name).", "so_name public", name(ListenerName)),
	row("src", "The client's address.", "src 10.0.0.0/8", Kind{Type: Addr, Make: plain(source)}),
	row("src_port", "The client's port.", "src_port lt 1024", Kind{Type: Int, Make: plain(sourcePort)}),
}

func sourceOf(l *Link) netip.AddrPort      { return l.Source }
func destinationOf(l *Link) netip.AddrPort { return l.Destination }

func source(in *Input, v *Value) Outcome          { return v.address(in.Source.Addr()) }
func sourcePort(in *Input, v *Value) Outcome      { return v.port(in.Source) }
func destination(in *Input, v *Value) Outcome     { return v.address(in.destined().Addr()) }
func destinationPort(in *Input, v *Value) Outcome { return v.port(in.destined()) }

// destined is where the client connected to, asked for when it is not said.
func (in *Input) destined() netip.AddrPort {
	if !in.Destination.IsValid() {
		l, _ := in.link(ClientSide)
		in.Destination = l.Destination
	}
	return in.Destination
}

func (in *Input) link(s Side) (Link, bool) {
	if in.World == nil {
		return Link{}, false
	}
	return in.World.Link(s)
}

func linkAddr(s Side, which func(*Link) netip.AddrPort) Kind {
	return Kind{Type: Addr, Make: plain(func(in *Input, v *Value) Outcome {
		l, _ := in.link(s)
		return v.address(which(&l).Addr())
	})}
}

func linkPort(s Side, which func(*Link) netip.AddrPort) Kind {
	return Kind{Type: Int, Make: plain(func(in *Input, v *Value) Outcome {
		l, _ := in.link(s)
		return v.port(which(&l))
	})}
}

func linkNumber(s Side, which func(*Link) int64) Kind {
	return Kind{Type: Int, Make: plain(func(in *Input, v *Value) Outcome {
		l, ok := in.link(s)
		if !ok {
			return Missing
		}
		return v.whole(which(&l))
	})}
}

func linkText(which func(*Link) []byte) Kind {
	return Kind{Type: Str, Needs: Session, Make: plain(func(in *Input, v *Value) Outcome {
		l, _ := in.link(ClientSide)
		return v.text(which(&l))
	})}
}

func (in *Input) tcp() (TCP, bool) {
	if in.World == nil {
		return TCP{}, false
	}
	return in.World.TCP(ClientSide)
}

func tcpNumber(which func(*TCP) uint32) Kind {
	return Kind{Type: Int, Args: "?s", Make: plain(func(in *Input, v *Value) Outcome {
		t, ok := in.tcp()
		if !ok {
			return Missing
		}
		return v.whole(int64(which(&t)))
	})}
}

func tcpTime(which func(*TCP) uint32) Kind {
	k := tcpNumber(which)
	k.Make = func(a *Arguments) (Get, error) {
		by := int64(1000)
		switch a.at(0) {
		case "", "ms":
		case "us":
			by = 1
		default:
			return nil, fmt.Errorf("%q is not ms or us", a.at(0))
		}
		return func(in *Input, v *Value) Outcome {
			t, ok := in.tcp()
			if !ok {
				return Missing
			}
			return v.whole(int64(which(&t)) / by)
		}, nil
	}
	return k
}
