package block

import (
	"slices"
	"testing"

	"herald/config"
)

func TestCommandSplitsAsKeepalivedDoes(t *testing.T) {
	for text, want := range map[string][]string{
		`s "killall -0 haproxy"`:                {"killall", "-0", "haproxy"},
		`s “killall -0 haproxy”`:                {"killall", "-0", "haproxy"},
		`s /bin/true`:                           {"/bin/true"},
		`s /bin/echo a b`:                       {"/bin/echo", "a", "b"},
		`s "/bin/echo" 'a b' "c\td"`:            {"/bin/echo", "a b", "c\td"},
		`s "/bin/echo 'a b' \x41\tq"`:           {"/bin/echo", "a b", "A\tq"},
		`s "/bin/sh -c 'exit 0' \"z w\""`:       {"/bin/sh", "-c", "exit 0", "z w"},
		`s '/bin/sh -c "a  b"'`:                 {"/bin/sh", "-c", "a  b"},
		`s "/bin/sh -c 'echo \"q r\"'"`:         {"/bin/sh", "-c", `echo "q r"`},
		`s "a \a\b\E\f\n\r\v\101\x4a\cA\$\\"`:   {"a", "\a\b\x1b\f\n\r\vAJ\x01$\\"},
		`s "a '' \xq \c"`:                       {"a", "", "xq", "c"},
		`s ""`:                                  nil,
		`s 'a\'`:                                {`a\`},
		`s "a 'b c"`:                            {"a", "b c"},
		"s \"a\tb  c\"":                         {"a", "b", "c"},
		`s "echo x | socat - /run/a.sock"`:      {"echo", "x", "|", "socat", "-", "/run/a.sock"},
		`s "/bin/kill -0 $(cat /run/h.pid)"`:    {"/bin/kill", "-0", "$(cat", "/run/h.pid)"},
		`s "/usr/bin/test \x2d\x66 '/a \'b c'"`: {"/usr/bin/test", "-f", `/a 'b c`},
	} {
		var ds config.Diagnostics
		st := Parse(texts{"k": text}, Options{Path: "k"}, &ds)
		if got := Command(st[0].Words[1:]); !slices.Equal(got, want) {
			t.Errorf("%s: want %q, got %q", text, want, got)
		}
	}
}
