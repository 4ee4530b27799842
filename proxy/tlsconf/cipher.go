package tlsconf

import (
	"fmt"
	"strconv"
	"strings"
)

// Ciphers is what a cipher string of OpenSSL comes to.
type Ciphers struct {
	// Suites are the numbers for crypto/tls, which has an order of its own.
	Suites []uint16
	// Missing are suites named in the string that crypto/tls does not have.
	Missing []string
	// Unknown are words OpenSSL does not know either; it skips them.
	Unknown []string
}

// ParseCiphers reads a cipher string (openssl-ciphers(1)): words joined by
// ":", "," or blanks; "A+B" is what both stand for, "-" takes out, "!" for
// good, "+" alone only moves. It is an error when nothing is left.
func ParseCiphers(text string) (Ciphers, error) {
	var c Ciphers
	in, out := make([]bool, len(suites)), make([]bool, len(suites))
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(":, ;", r) }) {
		if command, ok := strings.CutPrefix(word, "@"); ok {
			if err := c.command(command, out); err != nil {
				return c, err
			}
			continue
		}
		op := byte(' ')
		if strings.IndexByte("!-+", word[0]) >= 0 {
			op, word = word[0], word[1:]
		}
		match, ok := c.match(word, op)
		if !ok {
			continue
		}
		for i := range suites {
			switch {
			case !match(&suites[i]):
			case op == '!':
				out[i] = true
			case op == '-':
				in[i] = false
			case op == ' ':
				in[i] = true
			}
		}
	}
	for i := range suites {
		if in[i] && !out[i] {
			c.Suites = append(c.Suites, suites[i].id)
		}
	}
	if len(c.Suites) == 0 {
		return c, fmt.Errorf("%q leaves no cipher suite that this program has", text)
	}
	return c, nil
}

// command is @STRENGTH, which only sorts, or @SECLEVEL=N (SSL_CTX_set_
// security_level(3)).
func (c *Ciphers) command(text string, out []bool) error {
	level, ok := strings.CutPrefix(text, "SECLEVEL=")
	switch {
	case text == "STRENGTH":
		return nil
	case !ok:
		c.Unknown = append(c.Unknown, "@"+text)
		return nil
	}
	n, err := strconv.Atoi(level)
	if err != nil || n < 0 || n > 5 {
		return fmt.Errorf("@SECLEVEL=%s: the level is 0 to 5", level)
	}
	for i := range suites {
		s := &suites[i]
		switch { // forward secrecy from level 3 on, 192 and 256 bits from 4 and 5 on
		case n >= 3 && s.stands("kRSA"), n >= 4 && !s.stands("AES256") && !s.stands("CHACHA20"), n >= 4 && s.stands("SHA1"):
			out[i] = true
		}
	}
	return nil
}

// match is what a word stands for; false when for nothing.
func (c *Ciphers) match(word string, op byte) (func(*suite) bool, bool) {
	var tests []string
	for part := range strings.SplitSeq(word, "+") {
		switch {
		case everything[part]:
		case nothing[part]:
			return nil, false
		case strings.HasPrefix(part, "SUITEB"):
			tests = append(tests, "aECDSA", "AESGCM")
		case others[part]:
			if op == ' ' {
				c.Missing = append(c.Missing, part)
			}
			return nil, false
		case !known(part):
			if suites13[part] == 0 {
				c.Unknown = append(c.Unknown, part)
			}
			return nil, false
		default:
			tests = append(tests, part)
		}
	}
	return func(s *suite) bool {
		for _, t := range tests {
			if !s.stands(t) {
				return false
			}
		}
		return true
	}, true
}

func known(word string) bool {
	for i := range suites {
		if suites[i].stands(word) {
			return true
		}
	}
	return false
}

// stands reports whether a word stands for the suite.
func (s *suite) stands(word string) bool {
	if s.name == word {
		return true
	}
	for w := range strings.FieldsSeq(s.words) {
		if w == word {
			return true
		}
	}
	return false
}

// ParseSuites reads the list of ciphersuites, those of TLS 1.3. crypto/tls
// offers its three whatever is asked; left are the ones the list leaves out.
func ParseSuites(text string) (missing, left []string, err error) {
	asked := map[string]bool{}
	for name := range strings.SplitSeq(text, ":") {
		switch {
		case suites13[name] != 0:
			asked[name] = true
		case name == "TLS_AES_128_CCM_SHA256" || name == "TLS_AES_128_CCM_8_SHA256":
			missing = append(missing, name)
		default:
			return nil, nil, fmt.Errorf("%q is no cipher suite of TLS 1.3", name)
		}
	}
	for _, name := range []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"} {
		if !asked[name] {
			left = append(left, name)
		}
	}
	return missing, left, nil
}

// groups are the key exchange groups of crypto/tls by OpenSSL's names and
// their aliases, in lower case.
var groups = map[string]uint16{
	"x25519": 29, "p-256": 23, "prime256v1": 23, "secp256r1": 23, "p-384": 24, "secp384r1": 24, "p-521": 25, "secp521r1": 25,
	"x25519mlkem768": 4588, "secp256r1mlkem768": 4587, "secp384r1mlkem1024": 4589,
}

// ParseCurves reads a list of groups joined by ":". Missing are those that
// crypto/tls does not have.
func ParseCurves(text string) (curves []uint16, missing []string, err error) {
	for name := range strings.SplitSeq(text, ":") {
		if id, ok := groups[strings.ToLower(name)]; ok {
			curves = append(curves, id)
		} else {
			missing = append(missing, name)
		}
	}
	if len(curves) == 0 {
		return nil, missing, fmt.Errorf("%q leaves no group that this program has", text)
	}
	return curves, missing, nil
}
