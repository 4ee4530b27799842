package proxy

import (
	"strings"
	"testing"

	"herald/proxy/rule"
	"herald/proxy/settings"
)

// Every row was seen on HAProxy 2.6.12: status and whether a server was asked.
func TestMonitorRequestsAreTold(t *testing.T) {
	own := map[int]settings.ErrorFile{200: {Bytes: []byte("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nup")}, 503: {Bytes: []byte("HTTP/1.1 503 No\r\ncontent-length: 4\r\n\r\ndown")}}
	fail := func(list ...string) func(*settings.Proxy) {
		return func(p *settings.Proxy) {
			for _, words := range list {
				p.MonitorFail = append(p.MonitorFail, when(t, words))
			}
		}
	}
	for name, tc := range map[string]struct {
		uri, request string
		setup        func(*settings.Proxy)
		want         string // in the answer
		passes       bool
	}{
		"path":                 {"/m", "GET /m HTTP/1.1", nil, "HTTP/1.1 200 OK\r\ncontent-length: 58\r\ncache-control: no-cache\r\ncontent-type: text/html\r\n\r\n<html><body><h1>200 OK</h1>\nService ready.\n</body></html>\n", false},
		"path, whole target":   {"/m", "GET http://b/m HTTP/1.1", nil, "Service ready", false},
		"path with query":      {"/m", "GET /m?x HTTP/1.1", nil, "hello", true},
		"target":               {"http://b/m", "GET http://b/m HTTP/1.1", nil, "Service ready", false},
		"path of that target":  {"http://b/m", "GET /m HTTP/1.1", nil, "hello", true},
		"any method":           {"/m", "FOO /m HTTP/1.1", nil, "Service ready", false},
		"no server":            {"/m", "GET /m HTTP/1.1", fail("{ nbsrv(web) lt 2 }"), "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 107\r\n", false},
		"servers":              {"/m", "GET /m HTTP/1.1", fail("{ nbsrv(web) lt 1 }"), "Service ready", false},
		"second condition":     {"/m", "GET /m HTTP/1.1\r\nX: y", fail("FALSE", "{ hdr(x) y }"), "HTTP/1.1 503 ", false},
		"page of one's own":    {"/m", "GET /m HTTP/1.1", func(p *settings.Proxy) { p.ErrorFiles = own }, "\r\n\r\nup", false},
		"failure of one's own": {"/m", "GET /m HTTP/1.1", func(p *settings.Proxy) { p.ErrorFiles = own; fail("TRUE")(p) }, "\r\n\r\ndown", false},
	} {
		t.Run(name, func(t *testing.T) {
			p := section(script(t, says(five)))
			p.MonitorURI = tc.uri
			if tc.setup != nil {
				tc.setup(p)
			}
			r := serve(t, 1, p)
			host := "a"
			if strings.Contains(tc.request, "//b/") {
				host = "b"
			}
			if got := r.exchange(tc.request + "\r\nHost: " + host + "\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n"); !strings.Contains(got, tc.want) || !strings.HasSuffix(got, "hello") {
				t.Errorf("got %q, want %q and the next answer", got, tc.want)
			}
			r.log.wait(t, `"GET /next `)
			if logged := r.log.find(`m HTTP/1.1"|m\?x HTTP`, 0) != nil; logged != tc.passes {
				t.Errorf("logged: %v, want %v", logged, tc.passes)
			}
			row := r.Snapshot().Proxies[0].Rows[0]
			if intercepted := row.Intercepted == 1; intercepted == tc.passes || row.ReqTotal != 2 {
				t.Errorf("intercepted %d of %d requests", row.Intercepted, row.ReqTotal)
			}
		})
	}
}

// Every row was seen on HAProxy 2.6.12, but that it logs 400 for the 401 and
// 403 it sends.
func TestRulesSayWhoSeesThePage(t *testing.T) {
	p := section("127.0.0.1:1")
	p.Stats = &settings.Stats{URI: "/s", Realm: "R", Access: []settings.StatsRule{
		{Action: settings.StatsDeny, If: when(t, "{ hdr(x) bad }")},
		{Action: settings.StatsAuth, Realm: "Other", If: when(t, "{ hdr(x) other }")},
		{Action: settings.StatsAllow, If: when(t, "{ hdr(x) good }")},
		{Action: settings.StatsAuth},
	}, Admin: []rule.Condition{when(t, "FALSE"), when(t, "{ hdr(adm) 1 } { ssl_fc } or { dst 127.0.0.1 } { hdr(adm) 2 }")}}
	r := serve(t, 1, p)
	for _, tc := range []struct{ request, head, body, log string }{
		{"GET /s HTTP/1.1\r\nx: bad", "HTTP/1.1 403 ", "", " 403 [0-9]+ - - PR-- "},
		{"GET /s HTTP/1.1\r\nx: other", "www-authenticate: Basic realm=\"Other\"\r\n", "", ` web/<STATS> .* 401 [0-9]+ - - LR-- `},
		{"GET /s HTTP/1.1", "www-authenticate: Basic realm=\"R\"\r\n", "", " 401 "},
		{"GET /s HTTP/1.1\r\nx: good", "HTTP/1.1 200 OK\r\n", "", " 200 [0-9]+ - - LR-- "},
		{"GET /s HTTP/1.1\r\nx: good\r\nadm: 2", "HTTP/1.1 200 OK\r\n", "<form method=\"post\"", " 200 "},
		{"POST /s HTTP/1.1\r\nx: good\r\nadm: 1\r\ncontent-length: 0", "location: /s;st=DENY\r\n", "", " 303 "},
	} {
		got := r.exchange(tc.request + "\r\nHost: a\r\nConnection: close\r\n\r\n")
		head, body, _ := strings.Cut(got, "\r\n\r\n")
		if !strings.Contains(head+"\r\n", tc.head) || !strings.Contains(body, tc.body) || tc.body == "" && strings.Contains(body, "<form method=\"post\"") {
			t.Errorf("%q: got %.300q, want %q and %q", tc.request, got, tc.head, tc.body)
		}
		r.log.wait(t, tc.log)
	}
	if row := r.Snapshot().Proxies[0].Rows[0]; row.DeniedReq != 1 {
		t.Errorf("denied %d requests, want 1", row.DeniedReq)
	}
}
