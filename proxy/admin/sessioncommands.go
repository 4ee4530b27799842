package admin

import (
	"strings"
	"time"

	"herald/config"
)

// sessionRows are the commands about the session itself.
var sessionRows = []config.Row[command]{
	{Name: "help", Syntax: "help [<command>]", Doc: "list matching or all commands", Example: "help show", Do: command{User, help}},
	{Name: "prompt", Syntax: "prompt", Doc: "toggle interactive mode with prompt", Example: "prompt", Do: command{User, prompt}},
	{Name: "quit", Syntax: "quit", Doc: "disconnect", Example: "quit", Do: command{User, func(x *session, _ []string) { x.quit = true }}},
	{Name: "user", Syntax: "user", Doc: "lower the level of this session to user", Example: "user", Do: command{User, func(x *session, _ []string) { x.level = User }}},
	{Name: "operator", Syntax: "operator", Doc: "lower the level of this session to operator", Example: "operator",
		Do: command{Operator, func(x *session, _ []string) { x.level = Operator }}},
	{Name: "expert-mode", Syntax: "expert-mode [on|off]", Doc: "accepted for compatibility, changes nothing", Example: "expert-mode on", Do: command{Admin, modeSwitch("expert-mode")}},
	{Name: "experimental-mode", Syntax: "experimental-mode [on|off]", Doc: "accepted for compatibility, changes nothing", Example: "experimental-mode on",
		Do: command{Admin, modeSwitch("experimental-mode")}},
	{Name: "set timeout", Syntax: "set timeout cli <delay>", Doc: "change the timeout of this session, in seconds or with a unit", Example: "set timeout cli 30", Do: command{User, setTimeout}},
	{Name: "set severity-output", Syntax: "set severity-output [none|number|string]", Doc: "put the severity before messages of this session",
		Example: "set severity-output number", Do: command{User, setSeverity}},
	{Name: "show cli level", Syntax: "show cli level", Doc: "show the level of this session", Example: "show cli level",
		Do: command{User, func(x *session, _ []string) { x.info(x.level.String()) }}},
	{Name: "show cli sockets", Syntax: "show cli sockets", Doc: "list the sockets that take commands", Example: "show cli sockets", Do: command{User, showSockets}},
}

// String is the word of the configuration: "admin".
func (l Level) String() string { return [...]string{"user", "operator", "admin"}[l] }

func help(x *session, args []string) {
	rows := Commands.Rows()
	if len(args) > 0 {
		rows = append(near(args), always()...)
	}
	x.info("The following commands are valid at this level:\n" + list(rows))
}

func prompt(x *session, _ []string) { x.prompt = !x.prompt }

func modeSwitch(name string) func(*session, []string) {
	return func(x *session, args []string) {
		if len(args) == 0 {
			x.info(name + " is OFF")
		}
	}
}

func setTimeout(x *session, args []string) {
	switch {
	case len(args) == 0 || args[0] != "cli":
		x.err("'set timeout' only supports 'cli'.")
		return
	case len(args) < 2:
		x.err("Expects an integer value.")
		return
	}
	d, err := config.Duration(args[1], time.Second)
	if err != nil || d < time.Second {
		x.err("Invalid timeout value.")
		return
	}
	x.timeout = d
}

func setSeverity(x *session, args []string) {
	kinds := map[string]severity{"none": severityNone, "number": severityNumber, "string": severityString}
	kind, ok := kinds[strings.Join(args, " ")]
	if !ok {
		x.err("one of 'none', 'number', 'string' is a required argument")
		return
	}
	x.severity = kind
}

func showSockets(x *session, _ []string) {
	x.print("# socket lvl processes\n")
	for _, s := range x.server.options.Sockets {
		x.print(s.Address, " ", s.Level.String(), " all\n")
	}
}
