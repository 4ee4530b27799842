package cli

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"

	"herald/stats"
	"herald/stats/render"
)

const historyHelp = `Usage: herald history [--json] [--instance NAME] [--run-dir DIR]

Lists the changes of state of the VRRP instances, oldest first: when, from what to
what, how long the state before had lasted, our priority, the routers heard a short
while before, and why. A process keeps the last 32 of an instance; the last 8 outlive
a reload.

  --json              everything, for programs
  --instance NAME     of one instance
  --run-dir DIR       of the daemon, /run/herald

Examples:
  herald history
  herald history --json | jq '.[] | select(.to == "FAULT")'
`

const metricsHelp = `Usage: herald metrics [--run-dir DIR]

Prints the counters of the daemon that runs in the Prometheus text format: proxies
under the names of HAProxy's exporter, VRRP under those of keepalived's exporters and
under herald_vrrp_*. The statistics page serves the same at its URI with ;metrics.

  --run-dir DIR       of the daemon, /run/herald

Examples:
  herald metrics
  herald metrics > /var/lib/node_exporter/herald.prom
`

func runHistory(ctx context.Context, p Program, args []string, stdout, stderr io.Writer) int {
	var asJSON bool
	var name string
	dir, err := runDirFlags(p, "history", args, func(set *flag.FlagSet) {
		set.BoolVar(&asJSON, "json", false, "")
		set.StringVar(&name, "instance", "", "")
	})
	if err != nil {
		return wrong(stderr, "history", err)
	}
	return once(ctx, dir, "history", func(w io.Writer, raw json.RawMessage) error {
		var r render.Report
		if err := json.Unmarshal(raw, &r); err != nil {
			return fmt.Errorf("read status: %w", err)
		}
		list := render.Entries(r.VRRP, name)
		if !asJSON {
			return render.History(w, list)
		}
		text, err := json.Marshal(list)
		if err != nil {
			return err
		}
		return showJSON(w, text)
	}, stdout, stderr)
}

func runMetrics(ctx context.Context, p Program, args []string, stdout, stderr io.Writer) int {
	dir, err := runDirFlags(p, "metrics", args, nil)
	if err != nil {
		return wrong(stderr, "metrics", err)
	}
	return once(ctx, dir, "metrics", func(w io.Writer, raw json.RawMessage) error {
		var r render.Report
		if err := json.Unmarshal(raw, &r); err != nil {
			return fmt.Errorf("read status: %w", err)
		}
		_, err := w.Write(metricsOf(&r))
		return err
	}, stdout, stderr)
}

// metricsOf takes the instances from the VRRP role, which the proxy knows a
// moment later, if there is one.
func metricsOf(r *render.Report) []byte {
	if r.Proxy == nil {
		return render.AppendVRRPMetrics(nil, r.VRRP)
	}
	s := stats.Snapshot(*r.Proxy)
	s.Instances = r.VRRP
	return render.AppendMetrics(nil, &s)
}
