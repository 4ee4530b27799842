package line

import "strings"

// addressed says which words of a line are addresses: HAProxy replaces
// variables in those outside of weak quotes too, so that "bind ${IP}:80" means
// what it says. The number is that of the word behind the keyword.
var addressed = map[string]int{
	"bind": 1, "source": 1, "log": 1, "dispatch": 1,
	"server": 2, "server-template": 3, "peer": 2, "nameserver": 2, "mailer": 2,
}

// addressOptions are the words before an address on the lines that have some.
var addressOptions = map[string][]string{
	"server":          {"addr", "source", "socks4"},
	"server-template": {"addr", "source", "socks4"},
	"default-server":  {"addr", "source", "socks4"},
	"stats":           {"socket"},
	"http-check":      {"addr"},
	"tcp-check":       {"addr"},
}

// addresses puts the values of variables into the addresses of a line.
func (v *variables) addresses(words []Word) {
	keyword := words[0].Text
	if i := addressed[keyword]; i > 0 && i < len(words) {
		words[i].Text = v.expand(words[i].Text)
	}
	for _, option := range addressOptions[keyword] {
		for i := 1; i+1 < len(words); i++ {
			if words[i].Text == option {
				words[i+1].Text = v.expand(words[i+1].Text)
			}
		}
	}
}

// expand replaces $NAME and ${NAME} by their values, which are empty for those
// that are not set. It knows no default: "${NAME-d}" is the value and "-d}".
func (v *variables) expand(text string) string {
	if !strings.Contains(text, "$") {
		return text
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "$")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		inner, braced := strings.CutPrefix(rest, "{")
		n := nameLength(inner)
		if value, ok := v.get(inner[:n]); ok {
			out.WriteString(value)
		}
		text = inner[n:]
		if braced {
			text = strings.TrimPrefix(text, "}")
		}
	}
}
