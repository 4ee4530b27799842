package admin

import (
	"errors"
	"strconv"

	"herald/config"
)

// limitRows are the commands about limits and counters.
var limitRows = []config.Row[command]{
	{Name: "set maxconn frontend", Syntax: "set maxconn frontend <frontend> <value>", Doc: "change a frontend's maxconn setting", Example: "set maxconn frontend web 100", Do: command{Admin, setMaxConnFrontend}},
	{Name: "set maxconn server", Syntax: "set maxconn server <bk>/<srv>", Doc: "change a server's maxconn setting", Example: "set maxconn server be/srv 30", Do: command{Admin, setMaxConnServer}},
	{Name: "set maxconn global", Syntax: "set maxconn global <value>", Doc: "change the per-process maxconn setting", Example: "set maxconn global 3000", Do: command{Admin, setMaxConnGlobal}},
	{Name: "set rate-limit", Syntax: "set rate-limit <setting> <value>", Doc: "change a rate limiting value", Example: "set rate-limit sessions global 100", Do: command{Admin, setRateLimit}},
	{Name: "clear counters", Syntax: "clear counters [all]", Doc: "clear max statistics counters (or all counters)", Example: "clear counters all", Do: command{Operator, clearCounters}},
}

var errNotNumber = errors.New("Integer value expected.")

// limit reads a number of connections.
func limit(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, errNotNumber
	}
	return n, nil
}

func setMaxConnFrontend(x *session, args []string) {
	r := x.frontend(args)
	if r == nil {
		return
	}
	n, err := limit(first(args[1:]))
	if err == nil {
		err = x.server.proxy.SetFrontendMaxConn(r.Proxy, n)
	}
	x.report(err)
}

func setMaxConnServer(x *session, args []string) {
	r := x.find(args)
	if r == nil {
		return
	}
	text := first(args[1:])
	if text == "" {
		x.err("Require <maxconn>.")
		return
	}
	n, err := limit(text)
	if err != nil {
		x.err("maxconn string empty or preceded by garbage")
		return
	}
	x.report(x.server.proxy.SetServerMaxConn(r.Proxy, r.Name, n))
}

func setMaxConnGlobal(x *session, args []string) {
	if len(args) == 0 {
		x.err("Expects an integer value.")
		return
	}
	n, err := limit(args[0])
	if err != nil {
		x.report(err)
		return
	}
	if hard := x.snapshot().Info.HardMaxConn; hard > 0 && uint64(n) > hard {
		x.err("Value out of range.")
		return
	}
	x.report(x.server.proxy.SetMaxConn(n))
}

// rates are the settings of `set rate-limit`, each for "global".
var rates = map[string]Rate{"connections": RateConnections, "sessions": RateSessions, "ssl-sessions": RateTLSSessions}

const rateSettings = `'set rate-limit' only supports :
   - 'connections global' to set the per-process maximum connection rate
   - 'sessions global' to set the per-process maximum session rate
   - 'ssl-sessions global' to set the per-process maximum SSL session rate
   - 'http-compression global' to set the per-process maximum compression speed in kB/s
`

func setRateLimit(x *session, args []string) {
	rate, known := rates[first(args)]
	if len(args) < 2 || args[1] != "global" || !known && args[0] != "http-compression" {
		x.err(rateSettings)
		return
	}
	if len(args) == 2 {
		x.err("Expects an integer value.")
		return
	}
	n, err := limit(args[2])
	switch {
	case err != nil:
		x.report(err)
	case known:
		x.report(x.server.proxy.SetMaxRate(rate, n))
	default:
		x.err("Nothing is compressed, so there is no rate to limit.")
	}
}

func clearCounters(x *session, args []string) {
	all := first(args) == "all"
	if all && x.level < Admin {
		x.err("Permission denied")
		return
	}
	x.server.proxy.ClearCounters(all)
}
