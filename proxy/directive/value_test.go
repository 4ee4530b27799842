package directive

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"herald/config"
	"herald/proxy/settings"
)

// proxies builds text, which must have no error, and returns its proxies.
func proxies(t *testing.T, text string) []*settings.Proxy {
	t.Helper()
	cfg, diags := build(text, world)
	for _, d := range diags {
		if d.Severity == config.Error {
			t.Fatalf("%q: unexpected %v", text, d)
		}
	}
	return cfg.Proxies
}

func TestListeningAddresses(t *testing.T) {
	tests := map[string][]string{
		"*:80": {":80"}, ":80": {":80"}, "0.0.0.0:80": {":80"}, "10.1.1.10:80": {"10.1.1.10:80"},
		":::80": {"[::]:80"}, "[::]:80": {"[::]:80"}, "[::1]:80": {"[::1]:80"}, "::1:80": {"[::1]:80"},
		"ipv4@:80": {":80"}, "ipv6@:80": {"[::]:80"}, "ipv4@10.0.0.1:80": {"10.0.0.1:80"}, "tcp4@localhost:80": {"127.0.0.1:80"},
		"ipv6@localhost:80": {"[fe80::1%lo]:80"},
		":80-82":            {":80", ":81", ":82"}, "10.0.0.1:80,[::1]:81,/run/x": {"10.0.0.1:80", "[::1]:81", "/run/x"},
		"/run/x.sock": {"/run/x.sock"}, "unix@/run/x.sock": {"/run/x.sock"}, "unix@x.sock": {"x.sock"},
	}
	for text, want := range tests {
		var got []string
		for _, b := range proxies(t, "listen l\n bind "+text+"\n")[0].Binds {
			switch {
			case b.Network == "unix":
				got = append(got, b.Path)
			case strings.Contains(b.Host, ":"):
				got = append(got, fmt.Sprintf("[%s]:%d", b.Host, b.Port))
			default:
				got = append(got, fmt.Sprintf("%s:%d", b.Host, b.Port))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func TestBindOptionsReachEveryListenerOfTheLine(t *testing.T) {
	p := proxies(t, "listen l\n bind :80-81 name web namespace red interface eth0 maxconn 5 backlog 6 transparent v4v6 level admin\n"+
		" bind /run/x mode 660 user haproxy group haproxy\n bind /run/y uid 1 gid 2 v6only\n")[0]
	for i, port := range []int{80, 81} {
		want := settings.Bind{Pos: config.Pos{File: "t", Line: 2, Column: 2}, Network: "tcp", Port: port, Name: "web", Interface: "eth0", Namespace: "red",
			MaxConn: 5, Backlog: 6, V4V6: true, Transparent: true, UID: -1, GID: -1}
		if got := p.Binds[i]; got != want {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
	if b := p.Binds[2]; b.Mode != 0o660 || b.UID != 106 || b.GID != 107 || b.Name != "t:3:3" {
		t.Errorf("got %+v", b)
	}
	if b := p.Binds[3]; b.Mode != 0 || b.UID != 1 || b.GID != 2 || !b.V6Only || b.V4V6 {
		t.Errorf("got %+v", b)
	}
}

func TestServerOptionsStartFromDefaultServer(t *testing.T) {
	p := proxies(t, `defaults
 default-server inter 5s fall 7
backend b
 server plain 10.0.0.1:80
 default-server check rise 9 backup disabled
 server full h.example:81 weight 5 maxconn 6 maxqueue 7 cookie c addr 10.0.0.9 port 99 fastinter 1 downinter 2s on-marked-down shutdown-sessions init-addr last,none id 9
 server back [::1]:82 no-check no-backup enabled inter 100us init-addr libc,10.0.0.1
 server unix unix@/run/app
 server bare 10.0.0.2 no-check
frontend f
 bind :80
`)[0]
	at := func(n, id int, name string) settings.Server {
		return settings.Server{Pos: config.Pos{File: "t", Line: n, Column: 2}, Name: name, ID: id, Weight: 1, Inter: 5 * time.Second, Rise: 2, Fall: 7}
	}
	want := []settings.Server{at(4, 1, "plain"), at(6, 9, "full"), at(7, 3, "back"), at(8, 4, "unix"), at(9, 5, "bare")}
	want[0].Host, want[0].Port = "10.0.0.1", 80
	for i := 1; i < 5; i++ {
		want[i].Rise, want[i].Check, want[i].Backup, want[i].Disabled = 9, true, true, true
	}
	full := &want[1]
	full.Host, full.Port, full.Weight, full.MaxConn, full.MaxQueue, full.Cookie = "h.example", 81, 5, 6, 7, "c"
	full.CheckAddr, full.CheckPort, full.FastInter, full.DownInter = "10.0.0.9", 99, time.Millisecond, 2*time.Second
	full.ShutdownSessionsOnDown, full.InitAddr, full.ForcedID = true, "last,none", true
	want[2].Host, want[2].Port, want[2].Inter, want[2].InitAddr = "::1", 82, 100*time.Microsecond, "libc,10.0.0.1"
	want[2].Check, want[2].Backup, want[2].Disabled = false, false, false
	want[3].Path = "/run/app"
	want[4].Host, want[4].Check = "10.0.0.2", false
	for i := range want {
		if p.Servers[i] != want[i] {
			t.Errorf("got  %+v\nwant %+v", p.Servers[i], want[i])
		}
	}
}

func TestLogTargets(t *testing.T) {
	local := func(network, address string) settings.LogTarget {
		return settings.LogTarget{Network: network, Address: address, Format: "local", Facility: 16, MaxLevel: 7, MaxLen: 1024}
	}
	with := func(target settings.LogTarget, change func(*settings.LogTarget)) settings.LogTarget {
		change(&target)
		return target
	}
	tests := map[string]settings.LogTarget{
		"/dev/log local0":          local("unixgram", "/dev/log"),
		"unix@/dev/log local0":     local("unixgram", "/dev/log"),
		"127.0.0.1 local0":         local("udp", "127.0.0.1:514"),
		"127.0.0.1:99 local0":      local("udp", "127.0.0.1:99"),
		"udp@127.0.0.1:99 local0":  local("udp", "127.0.0.1:99"),
		"[::1] local0":             local("udp", "[::1]:514"),
		"[::1]:99 local0":          local("udp", "[::1]:99"),
		"::1:99 local0":            local("udp", "[::1]:99"),
		"logs.example local0":      local("udp", "logs.example:514"),
		"stdout format raw local0": with(local("fd", "stdout"), func(l *settings.LogTarget) { l.Format = "raw" }),
		"fd@2 local0":              local("fd", "stderr"),
		"fd@1 local0":              local("fd", "stdout"),
		"stderr local0":            local("fd", "stderr"),
		"/dev/log len 80 format rfc5424 kern notice err": {Network: "unixgram", Address: "/dev/log", Format: "rfc5424",
			Facility: 0, MaxLevel: 5, MinLevel: 3, MaxLen: 80},
	}
	for text, want := range tests {
		got := proxies(t, "listen l\n bind :1\n log "+text+"\n")[0].Logs
		if len(got) != 1 || got[0] != want {
			t.Errorf("%s:\n got %+v\nwant %+v", text, got, want)
		}
	}
}

func TestLogGlobalMeansTheGlobalTargetsInPlace(t *testing.T) {
	p := proxies(t, `global
 log /a local0
 log-tag tag
defaults
 log global
listen one
 bind :1
 log /b local0
 log-tag own
listen two
 bind :2
 no log
 log /c local0
global
 log /d local0
 log-send-hostname
`)
	paths := func(logs []settings.LogTarget) (out []string) {
		for _, l := range logs {
			out = append(out, l.Address+" "+l.Format)
		}
		return out
	}
	if got, want := paths(p[0].Logs), []string{"/a rfc3164", "/d rfc3164", "/b rfc3164"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := paths(p[1].Logs), []string{"/c rfc3164"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if p[0].LogTag != "own" || p[1].LogTag != "tag" {
		t.Errorf("got tags %q, %q", p[0].LogTag, p[1].LogTag)
	}
}

func TestDefaultsArePassedOn(t *testing.T) {
	p := proxies(t, `defaults base
 mode http
 retries 5
 timeout client 3s
 option dontlognull
 errorfile 503 /errors/a
 maxconn 7
defaults web from base
 retries 6
 errorfile 400 /errors/b
listen newest
 bind :1
defaults
listen fresh
 bind :2
listen named from web
 bind :3
 no option dontlognull
 retries 1
 errorfile 503 /errors/c
listen first from base
 bind :4
 default option dontlognull
`)
	type facts struct {
		Name    string
		Mode    settings.Mode
		Retries int
		Client  time.Duration
		Null    bool
		Files   int
		MaxConn int
	}
	want := []facts{
		{"newest", settings.HTTP, 6, 3 * time.Second, true, 2, 7},
		{"fresh", settings.TCP, 3, 0, false, 0, 0},
		{"named", settings.HTTP, 1, 3 * time.Second, false, 2, 7},
		{"first", settings.HTTP, 5, 3 * time.Second, false, 1, 7},
	}
	for i, w := range want {
		got := facts{p[i].Name, p[i].Mode, p[i].Retries, p[i].Timeouts.Client, p[i].DontLogNull, len(p[i].ErrorFiles), p[i].MaxConn}
		if got != w {
			t.Errorf("got %+v, want %+v", got, w)
		}
	}
	if f := p[3].ErrorFiles[503].Path; f != "/errors/a" {
		t.Errorf("an errorfile of a proxy reached its defaults: %q", f)
	}
}

// HAProxy 2.6.12 does the same: asked at run time, "stats refresh" alone in a
// proxy drops the URI and the password of its defaults.
func TestOwnStatisticsKeywordDropsThoseOfTheDefaults(t *testing.T) {
	p := proxies(t, `global
 node box
 description text of mine
defaults
 mode http
 stats uri /a
 stats auth u:p
listen inherits
 bind :1
listen own
 bind :2
 stats refresh 5
 stats hide-version
 stats realm My\ Realm
 stats show-node
 stats show-desc
 stats show-legends
 stats scope .
 stats scope other
 stats auth a:b:c
 stats auth d:
 stats admin if TRUE
listen third
 bind :3
 stats show-node other
 stats show-desc a b
 stats admin unless TRUE
`)
	if s := p[0].Stats; s.URI != "/a" || len(s.Users) != 1 {
		t.Errorf("got %+v", s)
	}
	want := settings.Stats{Pos: config.Pos{File: "t", Line: 12, Column: 2}, URI: "/haproxy?stats", Realm: "My Realm", Refresh: 5 * time.Second,
		HideVersion: true, ShowNode: true, Node: "box", ShowDesc: true, Desc: "text of mine", ShowLegends: true,
		Scope: []string{"own", "other"}, Users: []settings.StatsUser{{Name: "a", Password: "b:c"}, {Name: "d"}}}
	if len(p[1].Stats.Admin) != 1 {
		t.Errorf("%d conditions of admin, want 1", len(p[1].Stats.Admin))
	}
	p[1].Stats.Admin = nil // functions do not compare
	if !reflect.DeepEqual(*p[1].Stats, want) {
		t.Errorf("got  %+v\nwant %+v", *p[1].Stats, want)
	}
	if s := p[2].Stats; s.Node != "other" || s.Desc != "a b" || len(s.Admin) != 1 {
		t.Errorf("got %+v", s)
	}
}

func TestOptionsOfAProxy(t *testing.T) {
	tests := []struct {
		lines string
		holds func(p *settings.Proxy) bool
	}{
		{"option abortonclose", func(p *settings.Proxy) bool { return p.AbortOnClose }},
		{"option abortonclose\n no option abortonclose", func(p *settings.Proxy) bool { return !p.AbortOnClose }},
		{"option allbackups", func(p *settings.Proxy) bool { return p.AllBackups }},
		{"option clitcpka", func(p *settings.Proxy) bool { return p.TCPKeepAliveClient && !p.TCPKeepAliveServer }},
		{"option srvtcpka", func(p *settings.Proxy) bool { return !p.TCPKeepAliveClient && p.TCPKeepAliveServer }},
		{"option tcpka", func(p *settings.Proxy) bool { return p.TCPKeepAliveClient && p.TCPKeepAliveServer }},
		{"option dontlog-normal", func(p *settings.Proxy) bool { return p.DontLogNormal }},
		{"option logasap", func(p *settings.Proxy) bool { return p.LogAsap }},
		{"option log-separate-errors", func(p *settings.Proxy) bool { return p.LogSeparateErrors }},
		{"option log-health-checks", func(p *settings.Proxy) bool { return p.LogHealthChecks }},
		{"option tcp-check", func(p *settings.Proxy) bool { return p.Check.Script != nil }},
		{"option httpclose", func(p *settings.Proxy) bool { return p.Connection == settings.Close }},
		{"option http-server-close", func(p *settings.Proxy) bool { return p.Connection == settings.ServerClose }},
		{"option httpclose\n option http-keep-alive", func(p *settings.Proxy) bool { return p.Connection == settings.KeepAlive }},
		{"option httpclose\n no option http-server-close", func(p *settings.Proxy) bool { return p.Connection == settings.Close }},
		{"option httpclose\n no option httpclose", func(p *settings.Proxy) bool { return p.Connection == settings.KeepAlive }},
		{"option redispatch", func(p *settings.Proxy) bool { return p.Redispatch && p.RedispatchInterval == -1 }},
		{"option redispatch 3", func(p *settings.Proxy) bool { return p.Redispatch && p.RedispatchInterval == 3 }},
		{"option redispatch 0", func(p *settings.Proxy) bool { return !p.Redispatch }},
		{"option redispatch\n no option redispatch", func(p *settings.Proxy) bool { return !p.Redispatch && p.RedispatchInterval == 0 }},
		{"option tcplog", func(p *settings.Proxy) bool { return p.LogFormat == settings.LogTCP }},
		{"option httplog", func(p *settings.Proxy) bool { return p.LogFormat == settings.LogHTTP }},
		{"option httplog clf", func(p *settings.Proxy) bool { return p.LogFormat == settings.LogCLF }},
		{`log-format "%ci %B"`, func(p *settings.Proxy) bool { return p.LogFormat == settings.LogCustom && p.LogFormatText == "%ci %B" }},
		{"option forwardfor", func(p *settings.Proxy) bool { return *p.ForwardFor == settings.ForwardFor{Header: "X-Forwarded-For"} }},
		{"option forwardfor except 10.1.2.3/8 header X-A if-none", func(p *settings.Proxy) bool {
			return *p.ForwardFor == settings.ForwardFor{Header: "X-A", Except: "10.0.0.0/8", IfNone: true}
		}},
		{"option forwardfor except 127.0.0.1", func(p *settings.Proxy) bool { return p.ForwardFor.Except == "127.0.0.1" }},
		{"option forwardfor except 10.1.2.3/255.255.0.0", func(p *settings.Proxy) bool { return p.ForwardFor.Except == "10.1.0.0/16" }},
		{"backlog 4\n fullconn 5\n maxconn 6\n retries 7", func(p *settings.Proxy) bool {
			return p.Backlog == 4 && p.FullConn == 5 && p.MaxConn == 6 && p.Retries == 7
		}},
		{"http-reuse never", func(p *settings.Proxy) bool { return p.Reuse == settings.ReuseNever }},
		{"http-reuse always\n http-reuse safe", func(p *settings.Proxy) bool { return p.Reuse == settings.ReuseSafe }},
		{"retry-on none", func(p *settings.Proxy) bool { return !p.RetryOn.Has(settings.RetryConnFailure) }},
		{"retries 3", func(p *settings.Proxy) bool {
			return p.RetryOn.Has(settings.RetryConnFailure) && !p.RetryOn.Has(settings.RetryEmptyResponse)
		}},
		{"retry-on all-retryable-errors 404", func(p *settings.Proxy) bool {
			return p.RetryOn.Has(settings.Retry503) && p.RetryOn.Has(settings.Retry404) && !p.RetryOn.Has(settings.Retry401)
		}},
		{"server s 1.1.1.1:1 max-reuse 0 pool-max-conn -1 pool-purge-delay 2s pool-low-conn 3", func(p *settings.Proxy) bool {
			return p.Servers[0].Pool == settings.Pool{MaxReuse: 1, Purge: 2 * time.Second}
		}},
		{"option originalto except 10.0.0.0/8 header X-To", func(p *settings.Proxy) bool {
			return *p.OriginalTo == settings.ForwardFor{Header: "X-To", Except: "10.0.0.0/8"}
		}},
		{"option http-restrict-req-hdr-names delete", func(p *settings.Proxy) bool { return p.HTTP.Names == settings.NamesDelete }},
		{"http-send-name-header X-Server", func(p *settings.Proxy) bool { return p.HTTP.SendName == "x-server" }},
		{"http-send-name-header X\n no http-send-name-header", func(p *settings.Proxy) bool { return p.HTTP.SendName == "" }},
		{"option http-buffer-request\n option http-ignore-probes\n option http-pretend-keepalive\n option nolinger", func(p *settings.Proxy) bool {
			return p.HTTP == settings.HTTPOptions{BufferRequest: true, IgnoreProbes: true, PretendKeepAlive: true, NoLinger: true}
		}},
		{"option accept-invalid-http-request\n option accept-invalid-http-response\n option h1-case-adjust-bogus-client\n option h1-case-adjust-bogus-server",
			func(p *settings.Proxy) bool {
				return p.HTTP == settings.HTTPOptions{AcceptInvalidRequest: true, AcceptInvalidResponse: true, AdjustClient: true, AdjustServer: true}
			}},
		{"option http-no-delay\n option idle-close-on-response\n option tcp-smart-accept\n option tcp-smart-connect", func(p *settings.Proxy) bool {
			return p.HTTP == settings.HTTPOptions{}
		}},
		{"bind :2 accept-proxy", func(p *settings.Proxy) bool { return !p.Binds[0].AcceptProxy && p.Binds[1].AcceptProxy }},
		{"server s 1.1.1.1:1 send-proxy", func(p *settings.Proxy) bool { return p.Servers[0].SendProxy == settings.ProxyHeader{Version: 1} }},
		{"default-server send-proxy\n server s 1.1.1.1:1 no-send-proxy", func(p *settings.Proxy) bool { return p.Servers[0].SendProxy == settings.ProxyHeader{} }},
		{"server s 1.1.1.1:1 send-proxy-v2-ssl-cn", func(p *settings.Proxy) bool {
			return p.Servers[0].SendProxy == settings.ProxyHeader{Version: 2, SSL: true, CN: true}
		}},
		{"server s 1.1.1.1:1 send-proxy-v2 proxy-v2-options crc32c,authority,cert-sig", func(p *settings.Proxy) bool {
			return p.Servers[0].SendProxy == settings.ProxyHeader{Version: 2, SSL: true, SigAlg: true, CRC32C: true, Authority: true}
		}},
		{"bind :2 id 7 mss -40 tcp-ut 3s tfo defer-accept", func(p *settings.Proxy) bool {
			b := p.Binds[1]
			return b.ID == 7 && b.Tune == settings.ListenTuning{FastOpen: true, DeferAccept: true, MSS: -40, UserTimeout: 3 * time.Second}
		}},
		{"bind abns@web", func(p *settings.Proxy) bool { return p.Binds[1].Network == "abns" && p.Binds[1].Path == "web" }},
		{"bind fd@5", func(p *settings.Proxy) bool { return p.Binds[1].Network == "fd" && p.Binds[1].Path == "5" }},
		{"clitcpka-cnt 3\n clitcpka-idle 10\n clitcpka-intvl 500ms\n srvtcpka-cnt 4", func(p *settings.Proxy) bool {
			return p.ProbesClient == settings.KeepAliveProbes{Count: 3, Idle: 10 * time.Second, Interval: 500 * time.Millisecond} && p.ProbesServer.Count == 4
		}},
		{"source 10.0.0.1:1000-2000 interface eth1", func(p *settings.Proxy) bool {
			return p.Source == settings.Source{Host: "10.0.0.1", Port: 1000, LastPort: 2000, Interface: "eth1"}
		}},
		{"source 0.0.0.0 usesrc clientip", func(p *settings.Proxy) bool { return p.Source == settings.Source{Use: settings.UseClientIP} }},
		{"server s 1.1.1.1:1 source 0.0.0.0 usesrc hdr_ip(X-Forwarded-For,-1) check weight 7", func(p *settings.Proxy) bool {
			s := p.Servers[0]
			return s.Source == settings.Source{Use: settings.UseHeader, Header: "x-forwarded-for", Occurrence: -1} && s.Check && s.Weight == 7
		}},
		{"server s 1.1.1.1:1 source 10.0.0.1 usesrc 10.9.9.9:53", func(p *settings.Proxy) bool {
			return p.Servers[0].Source == settings.Source{Host: "10.0.0.1", Use: settings.UseAddress, UseHost: "10.9.9.9", UsePort: 53}
		}},
		{"server s abns@x tfo tcp-ut 10s", func(p *settings.Proxy) bool {
			s := p.Servers[0]
			return s.Abstract && s.Path == "x" && s.FastOpen && s.UserTimeout == 10*time.Second
		}},
		{"server s 1.1.1.1:+1000\n server t 1.1.1.1:-5", func(p *settings.Proxy) bool {
			return p.Servers[0].PortOffset == 1000 && p.Servers[0].Port == 0 && p.Servers[1].PortOffset == -5
		}},
		{"server s *:80\n server t 0.0.0.0", func(p *settings.Proxy) bool {
			return p.Servers[0].Transparent && p.Servers[0].Port == 80 && p.Servers[1].Transparent && p.Servers[1].Port == 0
		}},
		{"monitor-uri /up", func(p *settings.Proxy) bool { return p.MonitorURI == "/up" }},
		{"balance static-rr", func(p *settings.Proxy) bool { return p.Balance == "static-rr" }},
		{"balance random(3)", func(p *settings.Proxy) bool { return p.Balance == "random" && p.BalanceDraws == 3 }},
		{"balance uri len 5 depth 2 whole path-only", func(p *settings.Proxy) bool {
			return p.Balance == "uri" && p.BalanceArgs == settings.BalanceArgs{Len: 5, Depth: 2, Whole: true, PathOnly: true}
		}},
		{"balance url_param id check_post 64", func(p *settings.Proxy) bool {
			return p.Balance == "url_param" && p.BalanceArgs == settings.BalanceArgs{Name: "id", CheckPost: true}
		}},
		{"balance hdr(Host) use_domain_only", func(p *settings.Proxy) bool {
			return p.Balance == "hdr" && p.BalanceArgs == settings.BalanceArgs{Name: "Host", DomainOnly: true}
		}},
		{"balance hash req.hdr(host)", func(p *settings.Proxy) bool { return p.Balance == "hash" && p.HashOf.Text == "req.hdr(host)" }},
		{"balance rdp-cookie(msts)", func(p *settings.Proxy) bool { return p.Balance == "rdp-cookie" && p.BalanceArgs.Name == "msts" }},
		{"hash-type consistent", func(p *settings.Proxy) bool {
			return p.HashType == settings.HashType{Consistent: true, Avalanche: true}
		}},
		{"hash-type consistent wt6", func(p *settings.Proxy) bool {
			return p.HashType == settings.HashType{Consistent: true, Function: "wt6"}
		}},
		{"hash-type map-based crc32 avalanche", func(p *settings.Proxy) bool {
			return p.HashType == settings.HashType{Avalanche: true, Function: "crc32"}
		}},
		{"server a 1.2.3.4:5 minconn 7 maxconn 3", func(p *settings.Proxy) bool { return p.Servers[0].MinConn == 7 && p.Servers[0].MaxConn == 7 }},
		{"server a 1.2.3.4:5 minconn 2 maxconn 30 slowstart 40 on-marked-up shutdown-backup-sessions", func(p *settings.Proxy) bool {
			s := p.Servers[0]
			return s.MinConn == 2 && s.MaxConn == 30 && s.SlowStart == 40*time.Millisecond && s.ShutdownBackupsOnUp
		}},
		{"server-template web 2-4 h.example:80 weight 3 id 9", func(p *settings.Proxy) bool {
			s := p.Servers
			return len(s) == 3 && s[0].Name == "web2" && s[2].Name == "web4" && s[1].Weight == 3 && s[2].Host == "h.example" && s[2].Port == 80 &&
				s[0].ID == 9 && s[1].ID == 2 && s[2].ID == 3
		}},
		{"server-template s 2 /run/app", func(p *settings.Proxy) bool {
			return len(p.Servers) == 2 && p.Servers[0].Name == "s1" && p.Servers[1].Path == "/run/app"
		}},
		{"dispatch 10.0.0.1:81", func(p *settings.Proxy) bool {
			return p.Dispatch != nil && p.Dispatch.Port == 81 && p.Dispatch.Host == "10.0.0.1"
		}},
		{"hash-balance-factor 150", func(p *settings.Proxy) bool { return p.HashFactor == 150 }},
		{"disabled\n enabled", func(p *settings.Proxy) bool { return !p.Disabled }},
		{"default_backend other", func(p *settings.Proxy) bool { return p.DefaultBackend == "other" }},
		{"errorfile 503 /errors/x\n errorfile 503 /nope", func(p *settings.Proxy) bool { return len(p.ErrorFiles) == 0 }},
	}
	for _, tt := range tests {
		p := proxies(t, "listen l\n mode http\n bind :1\n "+tt.lines+"\nbackend other\n mode http\n")[0]
		if !tt.holds(p) {
			t.Errorf("%q: got %+v", tt.lines, p)
		}
	}
}

func TestEveryTimeoutIsSetByItsName(t *testing.T) {
	var text strings.Builder
	for i, r := range timeoutRows {
		fmt.Fprintf(&text, " %s %dms\n", r.Name, i+1)
	}
	p := proxies(t, "listen l\n bind :1\n"+text.String())[0]
	v := reflect.ValueOf(p.Timeouts)
	seen := map[int64]bool{}
	for i := range v.NumField() {
		seen[v.Field(i).Int()] = true
	}
	if len(seen) != len(timeoutRows) || seen[0] {
		t.Errorf("got %+v, want every field set once", p.Timeouts)
	}
	if p.Timeouts.Check != time.Millisecond || p.Timeouts.Client != 2*time.Millisecond {
		t.Errorf("got %+v", p.Timeouts)
	}
}

func TestGlobalValues(t *testing.T) {
	cfg, diags := build(`global
 maxconn 100
 nbthread 2
 maxconnrate 30
 maxsessrate 20
 maxsslrate 10
 maxsslconn 9
 uid 3
 gid 4
 chroot /c
 pidfile /p
 node n
 description a b
 daemon
 hard-stop-after 30s
 spread-checks 5
 stats timeout 1m
 stats maxconn 7
 tune.bufsize 32k
 tune.rcvbuf.client 10000
 tune.rcvbuf.server 20k
 tune.sndbuf.client 30000
 tune.sndbuf.server 40000
 tune.maxrewrite 64k
 log-send-hostname me
global
 stats socket /s mode 600 level admin
 stats socket ipv4@127.0.0.1:99,127.0.0.1:100 level user
 stats socket /plain
`, world)
	if len(diags) != 0 {
		t.Errorf("unexpected %v", diags)
	}
	g := cfg.Global
	sockets := g.StatsSockets
	g.StatsSockets = nil
	want := settings.Global{MaxConn: 100, MaxConnRate: 30, MaxSessRate: 20, MaxTLSRate: 10, MaxTLSConn: 9, NbThread: 2, UID: 3, GID: 4, Chroot: "/c", PidFile: "/p", Node: "n", Description: "a b", Daemon: true,
		LogTag: "haproxy", LogSendHostname: "me", StatsTimeout: time.Minute, StatsMaxConn: 7, HardStopAfter: 30 * time.Second, SpreadChecks: 5,
		ReceiveBufferClient: 10000, ReceiveBufferServer: 20 << 10, SendBufferClient: 30000, SendBufferServer: 40000,
		BufSize: 32 << 10, MaxRewrite: 16 << 10}
	if !reflect.DeepEqual(g, want) {
		t.Errorf("got  %+v\nwant %+v", g, want)
	}
	if len(sockets) != 4 || sockets[0].Level != settings.LevelAdmin || sockets[0].Bind.Mode != 0o600 || sockets[1].Bind.Port != 99 ||
		sockets[2].Bind.Port != 100 || sockets[2].Level != settings.LevelUser || sockets[3].Level != settings.LevelOperator {
		t.Errorf("got %+v", sockets)
	}
}

// The numbers are those "show stat" of HAProxy 2.6.12 prints for the same
// text.
func TestProxiesAndServersAreNumberedAsInHAProxy(t *testing.T) {
	const socket = "global\n stats socket /s\n"
	tests := []struct {
		text    string
		proxies []int
		servers []int // of the last proxy
	}{
		{"listen a\n bind :1\nbackend b\n", []int{1, 2}, nil},
		{socket + "frontend a\n bind :1\nbackend b\n id 3\nlisten c\n bind :2\nbackend d\n server x h:1 id 2\n server y h:2\n server z h:3\n",
			[]int{2, 3, 4, 5}, []int{2, 3, 4}},
		{socket + "frontend a\n id 10\n bind :1\nbackend b\nlisten c\n bind :2\nbackend d\n id 1\n", []int{10, 3, 4, 1}, nil},
		{socket + "frontend a\n id 2\n bind :1\nbackend d\n server a h:1\n server b h:1 id 9\n server c h:1\n" +
			" server d h:1 id 1\n server e h:1 id 2\n server f h:1\n", []int{2, 3}, []int{3, 9, 5, 1, 2, 8}},
	}
	for _, tt := range tests {
		var got, servers []int
		for _, q := range proxies(t, tt.text) {
			got, servers = append(got, q.ID), nil
			for _, s := range q.Servers {
				servers = append(servers, s.ID)
			}
		}
		if !slices.Equal(got, tt.proxies) || !slices.Equal(servers, tt.servers) {
			t.Errorf("%q:\n got %v, %v\nwant %v, %v", tt.text, got, servers, tt.proxies, tt.servers)
		}
	}
}

func TestHTTPSettingsDoNotReachATCPProxy(t *testing.T) {
	p := proxies(t, "defaults\n mode http\n option httplog\n option forwardfor\n stats enable\n monitor-uri /x\n option httpclose\nlisten l\n mode tcp\n bind :1\n")[0]
	if p.LogFormat != settings.LogTCP || p.ForwardFor != nil || p.Stats != nil || p.MonitorURI != "" || p.Connection != settings.KeepAlive {
		t.Errorf("got %+v", p)
	}
}

func TestOldListenAddressTakesBindOptions(t *testing.T) {
	p := proxies(t, "frontend web 10.0.0.1:80,:81 name x\n mode http\n")[0]
	if len(p.Binds) != 2 || p.Binds[0].Host != "10.0.0.1" || p.Binds[1].Name != "x" || p.Mode != settings.HTTP {
		t.Errorf("got %+v", p.Binds)
	}
}

func TestTheProxyOnTheWayIsAnAddress(t *testing.T) {
	p := proxies(t, "listen l\n mode http\n bind :1\n default-server check-via-socks4\n server a 10.0.0.1:80 socks4 127.0.0.1:1080\n")[0]
	if s := p.Servers[0]; s.Socks4 != "127.0.0.1:1080" || !s.Checks.Socks4 {
		t.Errorf("got %q, checks %v", s.Socks4, s.Checks.Socks4)
	}
	for _, bad := range []string{"127.0.0.1", ":1080", "127.0.0.1:1-2", "/run/x"} {
		if _, diags := build("listen l\n bind :1\n server a 10.0.0.1:80 socks4 "+bad+"\n", world); !strings.Contains(fmt.Sprint(diags), "socks4") {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestErrorPagesMayBeElsewhere(t *testing.T) {
	p := proxies(t, "listen l\n mode http\n bind :1\n errorloc 503 http://a/b\n errorloc303 404 /x\n")[0]
	if got, want := string(p.ErrorFiles[503].Bytes), "HTTP/1.1 302 Found\r\ncache-control: no-cache\r\ncontent-length: 0\r\nlocation: http://a/b\r\n\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := string(p.ErrorFiles[404].Bytes); !strings.HasPrefix(got, "HTTP/1.1 303 See Other\r\n") {
		t.Errorf("got %q", got)
	}
	for line, want := range map[string]string{
		"errorloc 599 /x":                  `status code "599" is not one of`,
		`errorloc 503 "a b"`:               `is not a URL`,
		"capture request headr Host len 5": `did you mean "header"?`,
		"capture cookie A length 5":        "expects NAME len N",
	} {
		if _, diags := build("listen l\n mode http\n bind :1\n "+line+"\n", world); !strings.Contains(fmt.Sprint(diags), want) {
			t.Errorf("%s: got %v, want %q", line, diags, want)
		}
	}
}

func TestTransparentIsADispatchAddress(t *testing.T) {
	for text, want := range map[string]bool{
		"listen l\n bind :1\n option transparent\n":                                   true,
		"listen l\n bind :1\n transparent\n server a 10.0.0.1:1\n":                    true,
		"listen l\n bind :1\n transparent\n balance source\n server a 10.0.0.1:1\n":   false,
		"defaults\n option transparent\nlisten l\n bind :1\n no option transparent\n": false,
		"defaults\n option transparent\nlisten l\n bind :1\n dispatch 10.0.0.1:80\n":  false,
	} {
		p := proxies(t, text)[0]
		if got := p.Dispatch != nil && p.Dispatch.Transparent; got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

// As HAProxy 2.6.12 makes them.
func TestUnixSocketsHaveWhatTheirLinesLeaveOpen(t *testing.T) {
	p := proxies(t, "global\n unix-bind prefix /srv mode 770 user haproxy\nlisten l\n bind /a.sock\n bind unix@/b.sock mode 600 uid 7\n bind abns@x\n bind :1\n")[0]
	a, b, abstract, tcp := p.Binds[0], p.Binds[1], p.Binds[2], p.Binds[3]
	if a.Path != "/srv/a.sock" || a.Mode != 0o770 || a.UID != 106 || a.GID != -1 {
		t.Errorf("what is left open: got %+v", a)
	}
	if b.Path != "/srv/b.sock" || b.Mode != 0o600 || b.UID != 7 {
		t.Errorf("what is said: got %+v", b)
	}
	if abstract.Path != "x" || abstract.UID != -1 || tcp.Mode != 0 {
		t.Errorf("others: got %+v, %+v", abstract, tcp)
	}
	for text, want := range map[string]string{"foo 1": "unknown option", "mode": "expects a value", "user nobodyknows": "is not known", "mode 9": "octal"} {
		if _, diags := build("global\n unix-bind "+text+"\nlisten l\n bind :1\n", world); !strings.Contains(fmt.Sprint(diags), want) {
			t.Errorf("%s: got %v, want %q", text, diags, want)
		}
	}
}

// A port behind the address of checks counts unless there is another, wherever
// it stands.
func TestWhereServersAreChecked(t *testing.T) {
	for text, want := range map[string]string{
		"a h:1 check addr 10.0.0.9":            "10.0.0.9 0",
		"a h:1 check addr 10.0.0.9:98":         "10.0.0.9 98",
		"a h:1 check addr 10.0.0.9:98 port 99": "10.0.0.9 99",
		"a h:1 check port 99 addr 10.0.0.9:98": "10.0.0.9 99",
		"a h:1 check addr other":               "other 0",
		"a h:1 check addr ::1":                 "::1 0",
		"a h:1 check addr [::1]:98":            "::1 98",
		"a h:1 check addr :98":                 "0.0.0.0 98",
		"a h:1 check addr /run/x":              "/run/x 0",
		"a h:1 check addr unix@/run/x":         "/run/x 0",
		"a h:1 check addr abns@x":              "@x 0",
		"a 10.0.0.1 check addr 10.0.0.9:98":    "10.0.0.9 98",
		"a 10.0.0.1 check addr /run/x":         "/run/x 0",
	} {
		s := proxies(t, "frontend f\n bind :80\n default_backend b\nbackend b\n server "+text+"\n")[1].Servers[0]
		if got := fmt.Sprint(s.CheckAddr, " ", s.CheckPort); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	s := proxies(t, "backend b\n option tcp-check\n tcp-check connect addr 10.0.0.9:98\n tcp-check connect addr x port 99\n server a h:1 check agent-check agent-port 1 agent-addr h\nfrontend f\n bind :80\n")[0]
	steps := s.Check.Script.Steps
	if a, b := steps[0].Connect, steps[1].Connect; a.Addr != "10.0.0.9" || a.AddrPort != 98 || a.Port != nil || b.Addr != "x" || b.AddrPort != 0 || b.Port == nil {
		t.Errorf("got %+v and %+v", a, b)
	}
	if a := s.Servers[0].Agent.Addr; a != "h" {
		t.Errorf("the agent is at %q", a)
	}
}
