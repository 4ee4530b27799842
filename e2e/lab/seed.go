package lab

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
)

// The published files, byte for byte.
var (
	//go:embed seed/keepalived.conf
	seedKeepalived string
	//go:embed seed/haproxy.cfg
	seedHaproxy string
)

// Files on a controller.
const (
	keepalivedFile = "/etc/keepalived/keepalived.conf"
	haproxyFile    = "/etc/haproxy/haproxy.cfg"
	servicesFile   = "/etc/haproxy/services.cfg"
)

// Setup says how the published files are varied. The zero value is the files
// as they stand: only router_id and the statistics address differ per node.
type Setup struct {
	// Priorities of the controllers in order; none: 100 for all, as
	// published.
	Priorities []int
	// Interval is the advertisement interval in seconds, 1 when zero.
	Interval int
	// AdvertInt is an interval below a second, as written ("0.1"), with
	// version 3 of the protocol; it replaces Interval.
	AdvertInt string
	// Services adds a second HAProxy file: a TCP and an HTTP service on
	// each virtual address, balanced over the lab's servers.
	Services bool
}

// keepalivedConf is the published keepalived.conf for controller i.
func (s Setup) keepalivedConf(i int) string {
	text := strings.Replace(seedKeepalived, "router_id controller-0", fmt.Sprintf("router_id controller-%d", i), 1)
	if i < len(s.Priorities) {
		text = strings.ReplaceAll(text, "priority 100", fmt.Sprintf("priority %d", s.Priorities[i]))
	}
	if s.Interval > 1 {
		text = strings.ReplaceAll(text, "advert_int 1", fmt.Sprintf("advert_int %d", s.Interval))
	}
	if s.AdvertInt != "" {
		text = strings.ReplaceAll(text, "advert_int 1", "version 3\nadvert_int "+s.AdvertInt)
	}
	return text
}

// haproxyConf is the published haproxy.cfg for controller i.
func (s Setup) haproxyConf(i int) string {
	return strings.Replace(seedHaproxy, OutsideAddr(0)+":80", OutsideAddr(i)+":80", 1)
}

// servicesConf is the lab's addition: what the operator's cloud has next
// behind the pair.
func (s Setup) servicesConf(servers int) string {
	var b strings.Builder
	b.WriteString("# Added by the lab to the published file.\n")
	for _, svc := range []struct {
		name, mode, log string
		port            int
	}{{"database", "tcp", "tcplog", TCPPort}, {"compute-api", "http", "httplog", HTTPPort}} {
		fmt.Fprintf(&b, "listen %s\n    bind %s:%d\n    bind %s:%d\n    mode %s\n    option %s\n    balance roundrobin\n",
			svc.name, InsideVirtual, svc.port, OutsideVirtual, svc.port, svc.mode, svc.log)
		for i := range servers {
			fmt.Fprintf(&b, "    server server-%d %s:%d check inter 500 rise 2 fall 2\n", i, ServerAddr(i), svc.port)
		}
	}
	return b.String()
}

var oldListen = regexp.MustCompile(`(?m)^listen (\S+) (\S+)$`)

// modern rewrites the published files into words today's programs take: the
// packaged HAProxy refuses the old ones, and the packaged keepalived runs a
// program called "“killall" that does not exist.
func modern(text string) string {
	for old, now := range map[string]string{
		"contimeout ": "timeout connect ", "clitimeout ": "timeout client ", "srvtimeout ": "timeout server ",
		"“": `"`, "”": `"`,
	} {
		text = strings.ReplaceAll(text, old, now)
	}
	return oldListen.ReplaceAllString(text, "listen $1\nbind $2")
}
