package admin

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"herald/config"
	"herald/stats"
)

// stateRows are the commands that change servers and frontends.
var stateRows = []config.Row[command]{
	{Name: "set server", Syntax: "set server <bk>/<srv> [opts]", Doc: "change a server's state, weight or address", Example: "set server be/srv state drain", Do: command{Admin, setServer}},
	{Name: "set weight", Syntax: "set weight <bk>/<srv>  (DEPRECATED)", Doc: "change a server's weight (use 'set server' instead)", Example: "set weight be/srv 50%", Do: command{Admin, setWeight}},
	{Name: "enable server", Syntax: "enable server  (DEPRECATED)", Doc: "enable a disabled server (use 'set server' instead)", Example: "enable server be/srv",
		Do: command{Admin, serverState(StateReady)}},
	{Name: "disable server", Syntax: "disable server (DEPRECATED)", Doc: "disable a server for maintenance (use 'set server' instead)", Example: "disable server be/srv",
		Do: command{Admin, serverState(StateMaint)}},
	{Name: "enable health", Syntax: "enable health", Doc: "enable health checks", Example: "enable health be/srv", Do: command{Admin, serverCheck(true)}},
	{Name: "disable health", Syntax: "disable health", Doc: "disable health checks", Example: "disable health be/srv", Do: command{Admin, serverCheck(false)}},
	{Name: "enable frontend", Syntax: "enable frontend <frontend>", Doc: "re-enable specific frontend", Example: "enable frontend web", Do: command{Admin, frontendState(true)}},
	{Name: "disable frontend", Syntax: "disable frontend <frontend>", Doc: "temporarily disable specific frontend", Example: "disable frontend web", Do: command{Admin, frontendState(false)}},
	{Name: "shutdown sessions server", Syntax: "shutdown sessions server <bk>/<srv>", Doc: "kill sessions on a server", Example: "shutdown sessions server be/srv", Do: command{Admin, shutdownSessions}},
	{Name: "shutdown session", Syntax: "shutdown session [id]", Doc: "kill a specific session", Example: "shutdown session 0x1f", Do: command{Admin, shutdownSession}},
}

// find answers the row of the server the first argument names, by names or
// "#id"s; nil after an answer to the operator.
func (x *session) find(args []string) *stats.Row {
	backend, server, err := serverName(args)
	if err != nil {
		x.report(err)
		return nil
	}
	s := x.snapshot()
	p := proxyNamed(&s, backend)
	if p == nil || !p.BackendCap {
		x.report(NoSuchBackend)
		return nil
	}
	for i := range p.Rows {
		r := &p.Rows[i]
		if r.Type == stats.ServerRow && (r.Name == server || server == "#"+strconv.Itoa(r.ID)) {
			return r
		}
	}
	x.report(NoSuchServer)
	return nil
}

// serverOptions are the words after "set server B/S".
var serverOptions = map[string]func(x *session, r *stats.Row, args []string){
	"state":  setState,
	"weight": changeWeight,
	"health": setHealth,
	"addr":   setAddr,
	"agent":  setAgent,
	"fqdn":   setName,
	"ssl":    refuse("'set server <srv> ssl' cannot be set.  default-server should define ssl settings"),

	"agent-addr": setAim("agent", notAsked, asked, moveAgent),
	"agent-port": setPort("agent", notAsked, asked, moveAgent),
	"agent-send": setAgentSend,
	"check-addr": setAim("check", notChecked, checkedServer, moveCheck),
	"check-port": setPort("check", notChecked, checkedServer, moveCheck),
}

func refuse(text string) func(*session, *stats.Row, []string) {
	return func(x *session, _ *stats.Row, _ []string) { x.err(text) }
}

func setServer(x *session, args []string) {
	r := x.find(args)
	if r == nil {
		return
	}
	var do func(*session, *stats.Row, []string)
	if len(args) > 1 {
		do = serverOptions[args[1]]
	}
	if do == nil {
		x.err("usage: set server <backend>/<server> addr | agent | agent-addr | agent-port | agent-send | check-addr | check-port | fqdn | health | ssl | state | weight")
		return
	}
	do(x, r, args[2:])
}

// first is the first argument, empty when there is none.
func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

func setState(x *session, r *stats.Row, args []string) {
	states := map[string]ServerState{"ready": StateReady, "drain": StateDrain, "maint": StateMaint}
	state, ok := states[first(args)]
	if !ok {
		x.err("'set server <srv> state' expects 'ready', 'drain' and 'maint'.")
		return
	}
	x.report(x.server.proxy.SetServerState(r.Proxy, r.Name, state))
}

func setHealth(x *session, r *stats.Row, args []string) {
	healths := map[string]ServerHealth{"up": HealthUp, "stopping": HealthStopping, "down": HealthDown}
	health, ok := healths[first(args)]
	if !ok {
		x.err("'set server <srv> health' expects 'up', 'stopping', or 'down'.")
		return
	}
	x.report(x.server.proxy.SetServerHealth(r.Proxy, r.Name, health))
}

func setWeight(x *session, args []string) {
	if r := x.find(args); r != nil {
		changeWeight(x, r, args[1:])
	}
}

func changeWeight(x *session, r *stats.Row, args []string) {
	w, err := weight(first(args), r.FirstWeight)
	if err == nil {
		err = x.server.proxy.SetServerWeight(r.Proxy, r.Name, w)
	}
	x.report(err)
}

// maxWeight is the greatest weight of a server (Configuration manual 5.2).
const maxWeight = 256

// weight reads "20", or "50%" of the initial weight.
func weight(text string, initial int) (int, error) {
	if text == "" {
		return 0, errors.New("Require <weight> or <weight%>.")
	}
	digits, relative := strings.CutSuffix(text, "%")
	n, err := strconv.Atoi(digits)
	switch {
	case errors.Is(err, strconv.ErrRange):
		n = 100 * maxWeight // too much as a weight, enough as a percentage
		if strings.HasPrefix(digits, "-") {
			n = -1
		}
	case err != nil && leadingNumber(text):
		return 0, errors.New("Trailing garbage in weight string")
	case err != nil:
		return 0, errors.New("Empty weight string empty or preceded by garbage")
	}
	if relative {
		if n < 0 {
			return 0, errors.New("Relative weight must be positive.")
		}
		// Beyond this percentage any initial weight reaches the greatest.
		return min(initial*min(n, 100*maxWeight)/100, maxWeight), nil
	}
	if n < 0 || n > maxWeight {
		return 0, errors.New("Absolute weight can only be between 0 and 256 inclusive.")
	}
	return n, nil
}

func leadingNumber(text string) bool {
	text = strings.TrimLeft(text, "+-")
	return text != "" && text[0] >= '0' && text[0] <= '9'
}

func setAddr(x *session, r *stats.Row, args []string) {
	if len(args) == 0 {
		x.err("set server <b>/<s> addr requires an address and optionally a port.")
		return
	}
	ip, err := netip.ParseAddr(args[0])
	if err != nil {
		x.err(fmt.Sprintf("Invalid addr '%s' by 'stats socket command'", oneLine(args[0])))
		return
	}
	host, port, told := ip.String(), 0, "no need to change the addr"
	if host != r.Server.Host {
		told = fmt.Sprintf("IP changed from '%s' to '%s'", r.Server.Host, host)
	}
	if len(args) > 2 && args[1] == "port" {
		if port, err = strconv.Atoi(args[2]); err != nil || port < 1 || port > 65535 || args[2][0] == '+' {
			x.warning(fmt.Sprintf("%s, problem converting port '%s' to an int by 'stats socket command'", "no need to change the addr", oneLine(args[2])))
			return
		}
		if port == r.Server.Port {
			told += ", no need to change the port"
		} else {
			told += fmt.Sprintf(", port changed from '%d' to '%d'", r.Server.Port, port)
		}
	}
	if err := x.server.proxy.SetServerAddr(r.Proxy, r.Name, host, port); err != nil {
		x.report(err)
		return
	}
	x.warning(told + " by 'stats socket command'")
}

func serverState(state ServerState) func(*session, []string) {
	return func(x *session, args []string) {
		if r := x.find(args); r != nil {
			x.report(x.server.proxy.SetServerState(r.Proxy, r.Name, state))
		}
	}
}

func serverCheck(on bool) func(*session, []string) {
	return func(x *session, args []string) {
		if r := x.find(args); r != nil {
			x.report(x.server.proxy.SetServerCheck(r.Proxy, r.Name, on))
		}
	}
}

// frontend answers the frontend the first argument names, and its row.
func (x *session) frontend(args []string) *stats.Row {
	if len(args) == 0 {
		x.err("A frontend name is expected.")
		return nil
	}
	s := x.snapshot()
	if p := proxyNamed(&s, args[0]); p != nil && p.FrontendCap {
		for i := range p.Rows {
			if p.Rows[i].Type == stats.FrontendRow {
				return &p.Rows[i]
			}
		}
	}
	x.report(NoSuchFrontend)
	return nil
}

func frontendState(on bool) func(*session, []string) {
	return func(x *session, args []string) {
		r := x.frontend(args)
		switch {
		case r == nil:
		case on && r.Status != "PAUSED":
			x.info("All sockets are already enabled.")
		case !on && r.Status == "PAUSED":
			x.info("All sockets are already disabled.")
		default:
			x.report(x.server.proxy.SetFrontend(r.Proxy, on))
		}
	}
}

func shutdownSessions(x *session, args []string) {
	if r := x.find(args); r != nil {
		x.report(x.server.proxy.ShutdownServerSessions(r.Proxy, r.Name))
	}
}

func shutdownSession(x *session, args []string) {
	if len(args) == 0 {
		x.err("Session pointer expected (use 'show sess').")
		return
	}
	if id, err := sessionID(args[0]); err != nil || !x.server.proxy.ShutdownSession(id) {
		x.err("No such session (use 'show sess').")
	}
}
