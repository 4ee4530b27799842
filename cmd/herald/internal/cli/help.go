package cli

import (
	"fmt"
	"strings"
)

// overview is what `herald --help` says.
func overview() string {
	var b strings.Builder
	b.WriteString(`herald keeps addresses alive and balances what arrives at them: one daemon that
reads keepalived.conf and haproxy.cfg as they stand.

Usage: herald COMMAND [FLAGS]

`)
	for _, c := range commands() {
		if c.brief != "" {
			fmt.Fprintf(&b, "  %-9s %s\n", c.name, c.brief)
		}
	}
	b.WriteString(`
Start with:
  herald check                       what herald makes of your two files
  herald run                         the daemon, with your two files
  herald status --watch              who holds which address, who serves
  herald lab demo                    all of it on three controllers of its own

herald help COMMAND tells more about each.
`)
	return b.String()
}

const filesHelp = `  --keepalived FILE   a keepalived.conf; without it there is no VRRP
  --haproxy FILE      a haproxy.cfg, or a directory of *.cfg; may be repeated, the
                      files are read in order; without it there is no proxy

With neither, /etc/keepalived/keepalived.conf and /etc/haproxy/haproxy.cfg are
read; one of them may be missing. Naming one leaves the default of the other out.
`

const runHelp = `Usage: herald run [--keepalived FILE] [--haproxy FILE|DIR]... [--run-dir DIR] [--fast-stop]

Runs the daemon in the foreground, for a service manager (it tells systemd when it
is ready). The process stays root and starts two others: one for VRRP, with no
more than two network capabilities, and one for the proxy, as the user, group and
chroot of haproxy.cfg.

` + filesHelp + `  --run-dir DIR       where lock and control socket are, /run/herald
  --fast-stop         a stop takes the addresses away at once, as keepalived does,
                      instead of answering until another node has taken them

Signals: SIGTERM gives the addresses to another node, lets connections end for
three seconds, and stops; a second one does not wait. SIGHUP reloads as
` + "`herald reload`" + ` does: an error leaves everything as it was.

Environment: HERALD_CONFINE=off leaves both roles without their limits on files and
system calls, to see whether those are what stands in the way.

Examples:
  herald run
  herald run --haproxy ./haproxy.cfg --run-dir /tmp/try
  herald run --keepalived k.conf --haproxy base.cfg --haproxy conf.d
`

const checkHelp = `Usage: herald check [--keepalived FILE] [--haproxy FILE|DIR]... [--node FILE]...

Reads the configuration as the daemon would and prints every finding of both files
and of what they say against each other. Exit code: 0 it would start, 1 there
are errors, 2 nothing would run.

` + filesHelp + `  --node FILE         the keepalived.conf of another node of the cluster; may be
                      repeated. Then what only several nodes show is found too:
                      equal priorities, weights that can never move an address,
                      intervals and passwords that differ

Examples:
  herald check
  herald check --node node2.conf --node node3.conf
  herald check --haproxy ./haproxy.cfg && sudo herald reload
`

const statusHelp = `Usage: herald status [--json | --watch] [--run-dir DIR]

Shows the daemon that runs on this machine: its processes, VRRP instances with
their addresses, proxies and servers.

  --json              everything, for programs
  --watch             again every second, until interrupted
  --run-dir DIR       of the daemon, /run/herald

Examples:
  herald status
  herald status --json | jq '.vrrp[] | {name, state, addresses}'
`

const reloadHelp = `Usage: herald reload [--run-dir DIR]

Has the daemon read its files again and waits for the outcome. New processes are
started beside the old and take over only when both are ready: no connection is
lost and no address moves. With an error everything goes on as before; the findings
are printed and the exit code is 1.

  --run-dir DIR       of the daemon, /run/herald
`
