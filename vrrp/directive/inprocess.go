package directive

import (
	"path"
	"slices"
	"strings"
)

// asksForProxy reports whether a command only asks whether haproxy runs here,
// in one of the forms people write: killall -0, pidof, pgrep, kill -0 with a
// pid file, ps, the service manager, or "show info" on the stats socket; bare
// or under sh -c, with the output thrown away and the failure spelt out. It
// says no to everything it does not know, and to commands that do more.
func asksForProxy(command string) bool {
	list, ok := parseShell(command)
	if !ok {
		return false
	}
	list = dropVerdict(list)
	if len(list) != 1 {
		return false
	}
	return pipelineAsks(list[0].commands)
}

// dropVerdict removes what only spells out the exit status of the first
// pipeline: `|| exit 1`, `&& exit 0`, `; exit $?`.
func dropVerdict(list []pipeline) []pipeline {
	for len(list) > 1 {
		last := list[len(list)-1]
		if len(last.commands) != 1 || !slices.Contains(verdicts[last.before], strings.Join(last.commands[0], " ")) {
			return list
		}
		list = list[:len(list)-1]
	}
	return list
}

// verdicts lists, by the operator before them, the commands that leave the
// meaning of the exit status as it is.
var verdicts = map[string][]string{
	"||": {"exit", "exit 1", "exit 2", "exit 255", "exit $?", "return 1", "false"},
	"&&": {"exit 0", "return 0", "true", ":"},
	";":  {"exit", "exit $?", "return $?"},
}

func pipelineAsks(commands [][]string) bool {
	switch len(commands) {
	case 1:
		return commandAsks(unwrap(commands[0]))
	case 2, 3, 4:
		return socketAsks(commands) || psAsks(commands)
	}
	return false
}

// unwrap takes off exec and timeout, which leave the question as it is.
func unwrap(words []string) []string {
	for len(words) > 1 {
		switch path.Base(words[0]) {
		case "exec":
			words = words[1:]
		case "timeout":
			words = words[1:]
			for len(words) > 1 && strings.HasPrefix(words[0], "-") {
				words = words[1:]
			}
			words = words[1:] // the duration
		default:
			return words
		}
	}
	return words
}

func commandAsks(words []string) bool {
	if len(words) < 2 {
		return false
	}
	args := words[1:]
	switch path.Base(words[0]) {
	case "sh", "bash", "dash", "ash", "ksh", "zsh":
		return len(args) == 2 && args[0] == "-c" && asksForProxy(args[1])
	case "killall", "pkill":
		return signalAsks(args)
	case "kill":
		return killAsks(args)
	case "pidof":
		names, _, ok := operands(args, "sxcqz", "o", nil)
		return ok && len(names) == 1 && isProxy(names[0])
	case "pgrep":
		return pgrepAsks(args)
	case "ps":
		i := slices.Index(args, "-C")
		return i >= 0 && i+1 < len(args) && isProxy(args[i+1])
	case "systemctl":
		return systemctlAsks(args)
	case "service", "rc-service", "invoke-rc.d":
		return slices.Equal(args, []string{"haproxy", "status"})
	case "haproxy": // the init script; the program itself has no such word
		return path.Dir(words[0]) == "/etc/init.d" && slices.Equal(args, []string{"status"})
	case "test", "[":
		return testAsks(args)
	}
	return false
}

// operands parts arguments into operands and short options; flags take no
// value, valued do. Long options must be in long.
func operands(args []string, flags, valued string, long []string) (names []string, options map[string]string, ok bool) {
	options = map[string]string{}
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case a == "--":
			return append(names, args[i+1:]...), options, true
		case strings.HasPrefix(a, "--"):
			if !slices.Contains(long, a) {
				return nil, nil, false
			}
			options[a] = ""
		case len(a) > 1 && a[0] == '-':
			for j := 1; j < len(a); j++ {
				o := a[j : j+1]
				switch {
				case strings.Contains(flags, o):
					options[o] = ""
					continue
				case !strings.Contains(valued, o):
					return nil, nil, false
				case j+1 < len(a):
					options[o] = a[j+1:]
				case i+1 < len(args):
					i++
					options[o] = args[i]
				default:
					return nil, nil, false
				}
				break
			}
		default:
			names = append(names, a)
		}
	}
	return names, options, true
}

// signalAsks reads the arguments of killall and pkill: signal 0 and haproxy.
func signalAsks(args []string) bool {
	names, options, ok := operands(args, "0qevxf", "su", []string{"--quiet", "--exact", "--verbose"})
	_, zero := options["0"]
	return ok && (zero || options["s"] == "0") && len(names) == 1 && isProxy(names[0])
}

func killAsks(args []string) bool {
	names, options, ok := operands(args, "0", "s", nil)
	_, zero := options["0"]
	return ok && (zero || options["s"] == "0") && len(names) == 1 && isProxyPid(names[0])
}

func pgrepAsks(args []string) bool {
	names, options, ok := operands(args, "xfclaoniq", "uUgGPdtF", []string{"--quiet", "--exact", "--full", "--count"})
	if !ok {
		return false
	}
	if file, given := options["F"]; given {
		return len(names) == 0 && isProxyPidFile(file)
	}
	if len(names) != 1 {
		return false
	}
	program, _, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(names[0], "^"), "$"), " ")
	return isProxy(program)
}

func systemctlAsks(args []string) bool {
	words := slices.DeleteFunc(slices.Clone(args), func(a string) bool { return strings.HasPrefix(a, "-") })
	return len(words) == 2 && (words[0] == "is-active" || words[0] == "status") &&
		(words[1] == "haproxy" || words[1] == "haproxy.service")
}

// testAsks reads `[ -n "$(pidof haproxy)" ]` and `[ -d /proc/$(cat pid) ]`.
func testAsks(args []string) bool {
	if len(args) == 3 && args[2] == "]" {
		args = args[:2]
	}
	if len(args) != 2 {
		return false
	}
	switch args[0] {
	case "-n":
		return isProxyPid(args[1])
	case "-d", "-e":
		pid, ok := strings.CutPrefix(args[1], "/proc/")
		return ok && isProxyPid(pid)
	}
	return false
}

// socketAsks reads `echo "show info" | socat stdio /path`, a grep behind it
// allowed.
func socketAsks(commands [][]string) bool {
	if len(commands) > 3 || len(commands) == 3 && !plainGrep(commands[2]) {
		return false
	}
	echo, send := commands[0], unwrap(commands[1])
	said := slices.DeleteFunc(slices.Clone(echo[1:]), func(a string) bool { return a == "-e" || a == "-n" || a == "-ne" })
	question := strings.TrimSuffix(strings.Join(said, " "), `\n`)
	if base := path.Base(echo[0]); base != "echo" && base != "printf" || strings.Trim(question, " ;") != "show info" {
		return false
	}
	switch path.Base(send[0]) {
	case "socat":
		return len(send) > 2
	case "nc", "ncat", "netcat":
		return slices.ContainsFunc(send[1:], func(a string) bool { return strings.HasPrefix(a, "-") && strings.HasSuffix(a, "U") })
	}
	return false
}

func plainGrep(words []string) bool {
	return path.Base(words[0]) == "grep" && !slices.Contains(words, "-v") && len(words) > 1
}

// psAsks reads `ps ... | grep haproxy`, with or without `grep -v grep`.
func psAsks(commands [][]string) bool {
	if path.Base(commands[0][0]) != "ps" {
		return false
	}
	found := false
	for _, c := range commands[1:] {
		names, options, ok := operands(c[1:], "qviE", "", nil)
		_, inverted := options["v"]
		switch {
		case path.Base(c[0]) != "grep" || !ok || len(names) != 1:
			return false
		case inverted && names[0] != "grep":
			return false
		case !inverted:
			if found || !slices.Contains([]string{"haproxy", "[h]aproxy", "haprox[y]"}, names[0]) {
				return false
			}
			found = true
		}
	}
	return found
}

// isProxy reports whether word names the haproxy program.
func isProxy(word string) bool { return path.Base(word) == "haproxy" }

// isProxyPid reports whether word is a substitution that gives haproxy's
// process number.
func isProxyPid(word string) bool {
	inner, ok := strings.CutPrefix(word, "$(")
	if ok {
		inner, ok = strings.CutSuffix(inner, ")")
	} else if inner, ok = strings.CutPrefix(word, "`"); ok {
		inner, ok = strings.CutSuffix(inner, "`")
	}
	if !ok {
		return false
	}
	if file, ok := strings.CutPrefix(strings.TrimSpace(inner), "<"); ok {
		return isProxyPidFile(strings.TrimSpace(file))
	}
	list, ok := parseShell(inner)
	if !ok || len(list) != 1 || len(list[0].commands) != 1 {
		return false
	}
	words := list[0].commands[0]
	switch path.Base(words[0]) {
	case "cat":
		return len(words) == 2 && isProxyPidFile(words[1])
	case "pidof", "pgrep":
		return commandAsks(words)
	}
	return false
}

// isProxyPidFile reports whether file is called like haproxy's pid file.
func isProxyPidFile(file string) bool {
	return strings.Contains(file, "haproxy") && strings.HasSuffix(file, ".pid")
}
