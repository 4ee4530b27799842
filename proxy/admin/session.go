package admin

import (
	"errors"
	"strings"
	"time"
)

// session is one connection's state. It belongs to the goroutine that serves
// the connection.
type session struct {
	server   *Server
	level    Level
	prompt   bool
	severity severity
	timeout  time.Duration
	quit     bool
	payload  string // of the line being answered
	out      []byte
}

// severity is what `set severity-output` puts before messages.
type severity int

const (
	severityNone severity = iota
	severityNumber
	severityString
)

// line answers all commands of one line.
func (x *session) line(text string) {
	commands := split(text)
	if len(commands) == 0 {
		commands = [][]string{nil}
	}
	for _, words := range commands {
		if x.quit {
			return
		}
		x.answer(words)
	}
}

// answer runs one command and ends its answer with an empty line.
func (x *session) answer(words []string) {
	row, args, found := lookup(words)
	switch {
	case found && row.Do.level > x.level:
		x.err("Permission denied")
	case found:
		row.Do.run(x, args)
	default:
		x.unknown(words)
	}
	if x.quit {
		return
	}
	x.out = append(x.out, '\n')
	if x.prompt {
		x.out = append(x.out, "> "...)
	}
}

func (x *session) print(parts ...string) {
	for _, p := range parts {
		x.out = append(x.out, p...)
	}
}

// say prints one message, marked with its severity when the session wants it.
func (x *session) say(number, word, text string) {
	switch x.severity {
	case severityNumber:
		x.print("[", number, "]: ")
	case severityString:
		x.print("[", word, "]: ")
	}
	x.print(text, "\n")
}

func (x *session) err(text string) { x.say("3", "err", text) }

func (x *session) warning(text string) { x.say("4", "warning", text) }

func (x *session) info(text string) { x.say("6", "info", text) }

// report prints an error of the engine; success prints nothing.
func (x *session) report(err error) {
	if err != nil {
		x.err(oneLine(err.Error()))
	}
}

// oneLine keeps an answer from ending early for a reader that waits for the
// empty line.
func oneLine(s string) string { return strings.NewReplacer("\n", " ", "\r", " ").Replace(s) }

// split cuts a line into commands at semicolons and those into words at blanks.
// A backslash takes the meaning from what follows it (Management Guide 9.3).
// Empty commands are left out.
func split(text string) [][]string {
	var commands [][]string
	var words []string
	var word []byte
	within := false
	endWord := func() {
		if within {
			words = append(words, string(word))
			word, within = word[:0], false
		}
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch c {
		case '\\':
			if i+1 < len(text) {
				i++
				c = text[i]
			}
			word, within = append(word, c), true
		case ' ', '\t', '\r':
			endWord()
		case ';':
			endWord()
			if len(words) > 0 {
				commands = append(commands, words)
			}
			words = nil
		default:
			word, within = append(word, c), true
		}
	}
	endWord()
	if len(words) > 0 {
		commands = append(commands, words)
	}
	return commands
}

// cutPayload reports whether the line announces a payload by a last word "<<".
func cutPayload(text string) (command string, payload bool) {
	trimmed := strings.TrimRight(text, " \t\r")
	if trimmed == "<<" || strings.HasSuffix(trimmed, " <<") {
		return strings.TrimSuffix(trimmed, "<<"), true
	}
	return text, false
}

// serverName reads "backend/server".
func serverName(args []string) (backend, server string, err error) {
	if len(args) > 0 {
		if b, s, ok := strings.Cut(args[0], "/"); ok {
			return b, s, nil
		}
	}
	return "", "", errNoServerName
}

var errNoServerName = errors.New("Require 'backend/server'.")
