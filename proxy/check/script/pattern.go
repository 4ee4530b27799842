package script

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

// Pattern is what an expect rule says of a header's name or value: text, how
// to compare it, or a regular expression.
type Pattern struct {
	Method string // "str", "beg", "end", "sub" or "reg"
	Text   *Text
	Regex  *regexp.Regexp
}

// Methods are the words after -m.
var Methods = []string{"str", "beg", "end", "sub", "reg"}

// matches compares value with the pattern.
func (p *Pattern) matches(value []byte, e *env, fold bool) bool {
	if p.Method == "reg" {
		return p.Regex.Match(value)
	}
	want := p.Text.append(nil, e)
	if fold {
		want, value = bytes.ToLower(want), bytes.ToLower(value)
	}
	switch p.Method {
	case "beg":
		return bytes.HasPrefix(value, want)
	case "end":
		return bytes.HasSuffix(value, want)
	case "sub":
		return bytes.Contains(value, want)
	}
	return bytes.Equal(value, want)
}

// CompileRegex compiles a regular expression of the configuration. What PCRE
// knows and Go's linear-time expressions do not is named.
func CompileRegex(text string) (*regexp.Regexp, error) {
	re, err := regexp.Compile(text)
	if err == nil {
		return re, nil
	}
	for _, form := range []struct{ mark, name string }{{"(?=", "look-ahead"}, {"(?!", "look-ahead"}, {"(?<=", "look-behind"}, {"(?<!", "look-behind"}, {"(?>", "an atomic group"}} {
		if strings.Contains(text, form.mark) {
			return nil, fmt.Errorf("regular expression %q uses %s, which is not supported", text, form.name)
		}
	}
	return nil, fmt.Errorf("regular expression %q: %w", text, err)
}
