package proxy

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"herald/proxy/check"
	"herald/proxy/settings"
)

func TestCommandsKnowTheirServerAndDecide(t *testing.T) {
	p := section("10.1.1.20:80")
	p.Check.External = &settings.ExternalCheck{Command: "/bin/true", Path: "/opt/bin"}
	p.Servers[0].Check, p.Servers[0].MaxConn, p.Servers[0].Inter = true, 7, 3*time.Second
	p.Binds = []settings.Bind{{Network: "tcp", Port: 8080, UID: -1, GID: -1}}
	p.Frontend, p.Mode, p.Check.Share = true, settings.TCP, true
	s, err := New(&settings.Config{Proxies: []*settings.Proxy{p}}, Options{Loops: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := s.Commands()
	if len(c) != 1 || c[0].Name != "web/s1" || c[0].Timeout != 3*time.Second ||
		!slices.Equal(c[0].Argv, []string{"/bin/true", "0.0.0.0", "8080", "10.1.1.20", "80"}) {
		t.Fatalf("got %+v", c)
	}
	for _, want := range []string{"HAPROXY_PROXY_NAME=web", "HAPROXY_PROXY_ADDR=0.0.0.0", "HAPROXY_PROXY_PORT=8080", "HAPROXY_SERVER_NAME=s1", "HAPROXY_SERVER_ADDR=10.1.1.20",
		"HAPROXY_SERVER_PORT=80", "HAPROXY_SERVER_MAXCONN=7", "HAPROXY_SERVER_SSL=0", "HAPROXY_SERVER_PROTO=tcp", "PATH=/opt/bin"} {
		if !slices.Contains(c[0].Env, want) {
			t.Errorf("environment %q lacks %s", c[0].Env, want)
		}
	}
	target := s.backends[0].targets[0]
	if r := s.probe(target); r.Status != check.PROCERR || r.Info == "" {
		t.Errorf("without a runner: got %+v", r)
	}
	for _, tt := range []struct {
		end    CommandResult
		err    error
		status check.Status
		code   int
	}{
		{CommandResult{}, nil, check.PROCOK, 0},
		{CommandResult{Exit: 3}, nil, check.PROCERR, 3},
		{CommandResult{Exit: -1}, nil, check.PROCERR, -1},
		{CommandResult{TimedOut: true, Exit: -1}, nil, check.PROCTOUT, 0},
		{CommandResult{Error: "is not found", Exit: -1}, nil, check.PROCERR, 255},
		{CommandResult{}, errors.New("gone"), check.PROCERR, -1},
	} {
		s.SetRunner(func(context.Context, int) (CommandResult, error) { return tt.end, tt.err })
		if r := s.probe(target); r.Status != tt.status || r.Code != tt.code {
			t.Errorf("%+v %v: got %v %d, want %v %d", tt.end, tt.err, r.Status, r.Code, tt.status, tt.code)
		}
	}
}
