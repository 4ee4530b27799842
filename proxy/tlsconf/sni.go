package tlsconf

import (
	"fmt"
	"strings"
)

// SNI is where the name comes from that a server is asked for.
type SNI struct {
	Fixed  string // a name, or
	Header string // the name of a request header, in lower case, or
	Client bool   // the name the client asked for
}

// ParseSNI reads the expression of sni: str(NAME), req.hdr(NAME), hdr(NAME)
// or ssl_fc_sni.
func ParseSNI(text string) (SNI, error) {
	name, rest, call := strings.Cut(text, "(")
	arg, ended := strings.CutSuffix(rest, ")")
	switch {
	case text == "ssl_fc_sni":
		return SNI{Client: true}, nil
	case !call || !ended || arg == "":
	case name == "str":
		return SNI{Fixed: strings.Trim(arg, `"'`)}, nil
	case name == "req.hdr" || name == "hdr":
		return SNI{Header: strings.ToLower(arg)}, nil
	}
	return SNI{}, fmt.Errorf("%q is not str(NAME), req.hdr(NAME) or ssl_fc_sni, which are the expressions that work here", text)
}

// CheckSNI reports what is wrong with an expression.
func CheckSNI(text string) error {
	_, err := ParseSNI(text)
	return err
}
