package expr

import (
	"net/netip"
	"strconv"
	"testing"
	"time"

	"herald/proxy/h1"
)

// told is a World that answers the same at all times and remembers whom it was
// asked about.
type told struct{ of Reference }

func (*told) Now() time.Time { return time.Unix(1_700_000_000, 123_456_789) }
func (*told) Chance() uint64 { return 0x8123456789abcdef }
func (*told) Name(n Name) string {
	if n == FrontendDefault {
		return ""
	}
	return "name" + strconv.Itoa(int(n))
}

func (w *told) Number(m Measure, of Reference) (int64, bool) {
	w.of = of
	return 1000 + int64(m), of.Name != "none"
}

func (*told) Link(s Side) (Link, bool) {
	if s == ServerSide {
		return Link{Source: netip.MustParseAddrPort("10.0.0.1:4000"), Destination: netip.MustParseAddrPort("[2001:db8::1]:8080"), Major: 2}, true
	}
	return Link{Source: netip.MustParseAddrPort("192.0.2.1:5000"), Destination: netip.MustParseAddrPort("192.0.2.2:443"), Major: 1,
		Proxied: true, Authority: []byte("www.example.com"), UniqueID: []byte("id-1")}, true
}

func (*told) TLS(Side) *Security { return nil }
func (*told) TCP(s Side) (TCP, bool) {
	return TCP{RTT: 1500, RTTVariance: 2500, Unacked: 3, Sacked: 4, Lost: 5, Retransmitted: 6, Fackets: 7, Reordering: 8}, s == ClientSide
}

// valueIn is what an expression finds as text, "-" when it finds nothing.
func valueIn(t *testing.T, in *Input, text string) string {
	t.Helper()
	f, err := Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	v, out := f.As(in, Str)
	switch out {
	case Found:
		return string(v.Str)
	case Wait:
		return "wait"
	}
	return "-"
}

// Each measure is asked for by its own number, and about what the argument
// names.
func TestMeasuresAreAskedOfWhatIsNamed(t *testing.T) {
	app, server, own := Reference{"backend", "app", ""}, Reference{"server", "app", "a"}, Reference{"server", "", "a"}
	front, here, there := Reference{"frontend", "f", ""}, Reference{Kind: "backend"}, Reference{Kind: "frontend"}
	none := Reference{}
	for text, want := range map[string]struct {
		m  Measure
		of Reference
	}{
		"avg_queue(app)": {BackendQueueShare, app}, "be_conn(app)": {BackendConnections, app}, "be_conn": {BackendConnections, here}, "be_conn_free(app)": {BackendConnectionsFree, app},
		"be_id": {BackendID, none}, "be_server_timeout": {BackendServerTimeout, none}, "be_sess_rate(app)": {BackendSessionRate, app}, "be_tunnel_timeout": {BackendTunnelTimeout, none},
		"connslots(app)": {BackendSlots, app}, "cur_server_timeout": {BackendServerTimeout, none}, "cur_tunnel_timeout": {BackendTunnelTimeout, none},
		"nbsrv(app)": {BackendServersUp, app}, "queue": {BackendQueue, here}, "str(app),nbsrv": {BackendServersUp, app},
		"fe_client_timeout": {FrontendClientTimeout, none}, "fe_conn": {FrontendConnections, there}, "fe_conn(f)": {FrontendConnections, front}, "fe_id": {FrontendID, none},
		"fe_req_rate(f)": {FrontendRequestRate, front}, "fe_sess_rate(f)": {FrontendSessionRate, front}, "dst_conn": {ListenerConnections, none}, "so_id": {ListenerID, none},
		"srv_conn(app/a)": {ServerConnections, server}, "srv_conn(a)": {ServerConnections, own}, "srv_conn_free(app/a)": {ServerConnectionsFree, server}, "srv_id": {ServerID, none},
		"srv_iweight(app/a)": {ServerInitialWeight, server}, "srv_queue(app/a)": {ServerQueue, server}, "srv_sess_rate(app/a)": {ServerSessionRate, server},
		"srv_uweight(app/a)": {ServerUserWeight, server}, "srv_weight(app/a)": {ServerWeight, server}, "thread": {Thread, none},
		"str(app/a),srv_queue": {ServerQueue, server}, "str(a),srv_queue": {ServerQueue, own},
	} {
		w := &told{}
		if got := valueIn(t, &Input{World: w, Final: true}, text); got != strconv.Itoa(1000+int(want.m)) || w.of != want.of {
			t.Errorf("%s: %s of %+v, want %d of %+v", text, got, w.of, 1000+int(want.m), want.of)
		}
	}
	for _, text := range []string{"be_conn(none)", "srv_conn(none/a)", "str(none),nbsrv", "str(none/a),srv_queue"} {
		if got := valueIn(t, &Input{World: &told{}, Final: true}, text); got != "-" {
			t.Errorf("%s: %s, want nothing of what there is not", text, got)
		}
	}
	for _, text := range []string{"be_conn(app)", "be_name", "str(app),nbsrv", "uuid", "bc_http_major", "bc_dst", "bc_dst_port", "fc_rtt", "fc_lost", "fc_pp_authority", "ssl_c_s_dn"} {
		if got := valueIn(t, &Input{Final: true}, text); got != "-" {
			t.Errorf("%s: %s, want nothing where there is no world", text, got)
		}
	}
}

// What lies beyond the bytes of a request is what the world says.
func TestTheWorldIsLookedAt(t *testing.T) {
	for text, want := range map[string]string{
		"be_name": "name" + strconv.Itoa(int(BackendName)), "fe_name": "name0", "fe_defbe": "-", "so_name": "name2", "srv_name": "name4", "hostname": "name5", "unique-id": "name6",
		"date": "1700000000", "date(5)": "1700000005", "date(0,ms)": "1700000000123", "date(-1,us)": "1700000000123455", "date_us": "123456",
		"rand": "2166572391", "rand(100)": "50", "rand(8589934592)": "4333144782", "rand(0)": "0", "uuid": "81234567-89ab-4def-8123-456789abcdef", "uuid(4)": "81234567-89ab-4def-8123-456789abcdef",
		"bc_dst": "2001:db8::1", "bc_dst_port": "8080", "bc_src": "10.0.0.1", "bc_src_port": "4000", "bc_http_major": "2", "fc_http_major": "1",
		"dst": "192.0.2.2", "dst_port": "443", "fc_dst": "192.0.2.2", "fc_dst_port": "443", "src": "-", "src_port": "-",
		"fc_rcvd_proxy": "1", "fc_pp_authority": "www.example.com", "fc_pp_unique_id": "id-1",
		"fc_rtt": "1", "fc_rtt(us)": "1500", "fc_rtt(ms)": "1", "fc_rttvar": "2", "fc_unacked": "3", "fc_sacked": "4", "fc_lost": "5", "fc_retrans": "6", "fc_fackets": "7", "fc_reordering": "8",
		"srv_is_up(app/a)": strconv.Itoa(1000 + int(ServerUp)), "stopping": strconv.Itoa(1000 + int(Stopping)), "http_first_req": strconv.Itoa(1000 + int(FirstRequest)),
		"ssl_fc": "0", "ssl_fc_sni": "-", "ssl_c_s_dn": "-", "ssl_fc_alpn": "-",
	} {
		if got := valueIn(t, &Input{World: &told{}, Final: true}, text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	if got := valueIn(t, &Input{World: &told{}, HTTP2: true}, "fc_http_major"); got != "2" {
		t.Errorf("fc_http_major of a request by HTTP/2: %s", got)
	}
}

// A fetch whose value more bytes would change waits for them, others do once
// what they need is not there yet.
func TestFetchesWaitForMore(t *testing.T) {
	for _, c := range []struct{ text, pattern, data, sent, want, final string }{
		{"req.len", "5", "abc", "", "wait", "missing"},
		{"req.len", "3", "abc", "", "found", "found"},
		{"res.len", "5", "", "abc", "wait", "missing"},
		{"req.payload(0,4)", "61626364", "abc", "", "wait", "missing"},
		{"req.payload(0,4)", "61626365", "abcd", "", "missing", "missing"},
		{"req.payload(1,0)", "6263", "abc", "", "found", "found"},
		{"req.payload_lv(0,1)", "6162", "\x02a", "", "wait", "missing"},
		{"req.payload_lv(0,1)", "6162", "\x02ab", "", "found", "found"},
		{"req.payload_lv(0,1)", "6162", "\x00ab", "", "missing", "missing"},
		{"req.payload_lv(1,1,0)", "6102", "a\x02bc", "", "found", "found"},
		{"req.payload_lv(0,1,+1)", "6263", "\x02abc", "", "found", "found"},
		{"req.payload_lv(1,1,-1)", "0262", "a\x02bc", "", "found", "found"},
		{"req.payload_lv(0,2)", "61", "", "", "wait", "missing"},
		{"res.payload(0,2)", "6162", "", "ab", "found", "found"},
		{"payload(0,2)", "6162", "zz", "ab", "found", "found"},
		{"wait_end", "", "", "", "wait", "found"},
		{"req.proto_http", "", "GET / HTTP/1.1\r\nHost: a\r\n", "", "wait", "missing"},
		{"req.proto_http", "", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "", "found", "found"},
		{"req.proto_http", "", "SSH-2.0-x\r\n", "", "missing", "missing"},
		{"res.ssl_hello_type", "2", "", "\x16\x03\x03\x00\x04", "wait", "missing"},
		{"res.ssl_hello_type", "2", "", "\x16\x03\x03\x00\x04\x02", "found", "found"},
		{"res.ssl_hello_type", "2", "", "\x15\x03\x03\x00\x02\x02\x28", "missing", "missing"},
		{"req.ssl_sni", "a", "\x16\x03\x01", "", "wait", "missing"},
	} {
		f, err := Parse(c.text)
		if err != nil {
			t.Fatal(err)
		}
		method := ""
		if f.Type == Bin {
			method = "bin"
		}
		var lists []List
		if c.pattern != "" {
			lists = []List{{Words: []string{c.pattern}}}
		}
		m, err := Loader{}.Compile(f, method, lists)
		if err != nil {
			t.Fatal(err)
		}
		for want, final := range map[string]bool{c.want: false, c.final: true} {
			if c.want == c.final {
				final = true
			}
			in := &Input{Data: []byte(c.data), Sent: []byte(c.sent), Final: final}
			if c.sent == "" {
				in.Sent = nil
			}
			if got := [...]string{"missing", "found", "wait"}[m.Match(in)]; got != want {
				t.Errorf("%s %s of %q and %q, the end %t: %s, want %s", c.text, c.pattern, c.data, c.sent, final, got, want)
			}
		}
	}
	in := &Input{Reply: &h1.Head{}, Sent: []byte("\x16\x03\x03\x00\x04\x02")}
	if got := valueIn(t, in, "res.ssl_hello_type"); got != "-" {
		t.Errorf("res.ssl_hello_type of a response of HTTP: %s", got)
	}
}
