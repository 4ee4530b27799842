package expr

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"net/netip"

	"herald/config"
)

// textRows are converters of text and of addresses.
var textRows = []config.Row[Change]{
	change("add_item", "Puts the first text behind what is there, if there is anything, and the third behind it.", "path,add_item(-,,x)", Change{From: Str, To: Str, Args: "ss?s", Make: makeAddItem}),
	change("be2dec", "Numbers of so many bytes each, in decimal, with a text between; 1 leaves out a rest.", "src,be2dec(.,1)", Change{From: Bin, To: Str, Args: "si?i", Make: func(a *Arguments) (Convert, error) {
		return makeBE(a, 8, decimalBE)
	}}),
	change("be2hex", "Hexadecimal of so many bytes each with a text between; 1 leaves out a rest.", "src,be2hex(:,2)", Change{From: Bin, To: Str, Args: "?sii", Make: func(a *Arguments) (Convert, error) {
		return makeBE(a, 1<<20, func(to, part []byte) []byte {
			for _, c := range part {
				to = append(to, upperHex[c>>4], upperHex[c&15])
			}
			return to
		})
	}}),
	change("bytes", "Some bytes from an offset on.", "path,bytes(1,3)", Change{From: Bin, To: Bin, Args: "i?i", Make: makeBytes}),
	change("concat", "Puts texts behind what is there.", "path,concat(-,,x)", Change{From: Str, To: Str, Args: "?sss", Make: func(a *Arguments) (Convert, error) {
		if a.has(1) {
			return nil, noVariables(a.at(1))
		}
		behind := a.at(0) + a.at(2)
		return edit(func(to, b []byte) []byte { return append(append(to, b...), behind...) })(nil)
	}}),
	change("cut_crlf", "What stands before the first end of a line.", "path,cut_crlf", Change{From: Str, To: Str, Make: always(func(_ *Input, v *Value) Outcome {
		if end := bytes.IndexAny(v.Str, "\r\n"); end >= 0 {
			v.Str = v.Str[:end]
		}
		return Found
	})}),
	change("field", "The nth part between characters, from the end when n is negative, and so many behind it; 0 is all.", "path,field(2,/)", Change{From: Str, To: Str, Args: "is?i", Make: makeParts(false)}),
	change("host_only", "The host of a Host header, in lower case.", "hdr(host),host_only", Change{From: Str, To: Str, Make: edit(func(to, b []byte) []byte {
		host, _ := cutPort(b)
		return lowered(to, host)
	})}),
	change("ipmask", "The network of an address, of so many bits or by a mask; the second is that of IPv6.", "src,ipmask(24,64)", Change{From: Addr, To: Addr, Args: "4?6", Make: makeMask}),
	change("json", "The text escaped for JSON; it may be ascii, utf8, utf8s, utf8p or utf8ps.", "path,json(utf8s)", Change{From: Str, To: Str, Args: "?s", Make: makeJSON}),
	change("language", "Which of some languages a client prefers, or else a text.", "req.fhdr(accept-language),language(es;fr;en,en)", Change{From: Str, To: Str, Args: "s?s", Make: makeLanguage}),
	change("length", "How many bytes the text has.", "path,length", Change{From: Str, To: Int, Make: always(func(_ *Input, v *Value) Outcome { return v.whole(int64(len(v.Str))) })}),
	change("lower", "The text in lower case.", "path,lower", Change{From: Str, To: Str, Make: edit(lowered)}),
	change("ltrim", "The text without some characters at its beginning.", "path,ltrim(/)", Change{From: Str, To: Str, Args: "s", Make: func(a *Arguments) (Convert, error) {
		return func(_ *Input, v *Value) Outcome { return v.bytes(Str, bytes.TrimLeft(v.Str, a.at(0))) }, ascii(a.at(0))
	}}),
	change("port_only", "The port of a Host header; 0 without.", "hdr(host),port_only", Change{From: Str, To: Int, Make: always(func(_ *Input, v *Value) Outcome {
		_, port := cutPort(v.Str)
		return v.whole(leadingNumber(port))
	})}),
	change("regsub", "Replaces what a regular expression matches, by a text with \\1 for its groups; g is everywhere, i in any case.", "path,regsub(/+,/,g)", Change{From: Str, To: Str, Args: "ss?s", Make: makeSubstitute}),
	change("rtrim", "The text without some characters at its end.", "path,rtrim(/)", Change{From: Str, To: Str, Args: "s", Make: func(a *Arguments) (Convert, error) {
		return func(_ *Input, v *Value) Outcome { return v.bytes(Str, bytes.TrimRight(v.Str, a.at(0))) }, ascii(a.at(0))
	}}),
	change("upper", "The text in upper case.", "path,upper", Change{From: Str, To: Str, Make: edit(uppered)}),
	change("url_dec", "The text with %XX decoded, and + behind a question mark, or with 1 anywhere.", "urlp(q),url_dec", Change{From: Str, To: Str, Args: "?i", Make: func(a *Arguments) (Convert, error) {
		form := a.int(0, 0) != 0
		return func(in *Input, v *Value) Outcome {
			b, ok := decodeURL(in.room(), v.Str, form)
			if !ok {
				return Missing
			}
			return v.bytes(Str, in.keep(b))
		}, nil
	}}),
	change("url_enc", "The text with all but letters, digits and -._~ as %XX.", "path,url_enc", Change{From: Str, To: Str, Args: "?s", Make: func(a *Arguments) (Convert, error) {
		if a.has(0) && a.at(0) != "query" {
			return nil, fmt.Errorf("%q is not query", a.at(0))
		}
		return edit(encodeURL)(nil)
	}}),
	change("word", "The nth word between characters, from the end when n is negative, and so many behind it; 0 is all.", "path,word(2,/)", Change{From: Str, To: Str, Args: "is?i", Make: makeParts(true)}),
}

func lowered(to, b []byte) []byte {
	for _, c := range b {
		to = append(to, lower(c))
	}
	return to
}

func uppered(to, b []byte) []byte {
	for _, c := range b {
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		to = append(to, c)
	}
	return to
}

func appendUint(to []byte, n uint64) []byte { return strconv.AppendUint(to, n, 10) }

// ascii refuses characters that are more than a byte.
func ascii(s string) error {
	if utf8.RuneCountInString(s) != len(s) {
		return fmt.Errorf("%q: characters are single bytes here", s)
	}
	return nil
}

func noVariables(name string) error {
	return fmt.Errorf("variable %q: variables are not supported yet", name)
}

func makeAddItem(a *Arguments) (Convert, error) {
	if a.has(1) {
		return nil, noVariables(a.at(1))
	}
	if !a.has(2) {
		return nil, errors.New("expects a variable or a text to add")
	}
	between, last := a.at(0), a.at(2)
	return edit(func(to, b []byte) []byte {
		if to = append(to, b...); len(b) > 0 {
			to = append(to, between...)
		}
		return append(to, last...)
	})(nil)
}

func makeBE(a *Arguments, most int64, write func(to, part []byte) []byte) (Convert, error) {
	size := a.int(1, 1)
	switch {
	case a.at(0) != "" && !a.has(1):
		return nil, errors.New("expects a number of bytes behind the text between")
	case size < 1 || size > most:
		return nil, fmt.Errorf("%d bytes are not 1 to %d", size, most)
	}
	between, rest := a.at(0), a.int(2, 0) != 0
	return edit(func(to, b []byte) []byte { return appendBE(to, b, int(size), between, rest, write) })(nil)
}

func makeBytes(a *Arguments) (Convert, error) {
	from, most := a.number[0], a.int(1, -1)
	if from < 0 || a.has(1) && most < 0 {
		return nil, errors.New("an offset or length is negative")
	}
	return func(_ *Input, v *Value) Outcome {
		v.Str = v.Str[min(from, int64(len(v.Str))):]
		if most >= 0 && int64(len(v.Str)) > most {
			v.Str = v.Str[:most]
		}
		return Found
	}, nil
}

// makeParts cuts parts out of a text; words are parts that are not empty.
func makeParts(words bool) func(a *Arguments) (Convert, error) {
	return func(a *Arguments) (Convert, error) {
		n, delimiters, count := int(a.number[0]), a.at(1), int(a.int(2, 1))
		if n == 0 || delimiters == "" || count < 0 {
			return nil, errors.New("counts from 1 or -1, and expects characters between the parts")
		}
		return func(_ *Input, v *Value) Outcome {
			from, to, ok := parts(v.Str, delimiters, n, count, words)
			if !ok && !words {
				return Missing
			}
			return v.bytes(Str, v.Str[from:to])
		}, ascii(delimiters)
	}
}

// parts is where count parts from the nth on are; count 0 is all there are in
// that direction.
func parts(b []byte, delimiters string, n, count int, words bool) (from, to int, ok bool) {
	begin, seen := 0, 0
	each := func(visit func(i, begin, end int) bool) {
		begin, seen = 0, 0
		for end := 0; end <= len(b); end++ {
			if end < len(b) && strings.IndexByte(delimiters, b[end]) < 0 {
				continue
			}
			if !words || end > begin {
				if seen++; !visit(seen, begin, end) {
					return
				}
			}
			begin = end + 1
		}
	}
	first, last := n, n+count-1
	if count == 0 {
		last = 1 << 30
	}
	if n < 0 {
		each(func(int, int, int) bool { return true })
		last = seen + n + 1
		if first = last - count + 1; count == 0 {
			first = 1
		}
		first = max(first, 1)
	}
	each(func(i, begin, end int) bool {
		if i == first {
			from, ok = begin, true
		}
		if i >= first && i <= last {
			to = end
		}
		return i < last
	})
	if words && ok { // what is beyond the words goes with them
		switch {
		case n > 0 && last > seen:
			to = len(b)
		case n < 0 && (count == 0 || count > last):
			from = 0
		}
	}
	return from, to, ok && last >= 1
}

func makeMask(a *Arguments) (Convert, error) {
	four, six := a.addr[0].As4(), [16]byte{}
	has6 := a.has(1)
	if has6 {
		six = a.addr[1].As16()
	}
	return func(_ *Input, v *Value) Outcome {
		if v.Addr = v.Addr.Unmap(); v.Addr.Is4() {
			b := v.Addr.As4()
			for i := range b {
				b[i] &= four[i]
			}
			v.Addr = netip.AddrFrom4(b)
			return Found
		}
		b := v.Addr.As16()
		for i := range b {
			b[i] &= six[i]
		}
		v.Addr = netip.AddrFrom16(b)
		if !has6 {
			return Missing
		}
		return Found
	}, nil
}

// decodeURL decodes; a percent sign without two digits is a mistake.
func decodeURL(to, b []byte, form bool) ([]byte, bool) {
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '+' && form:
			to = append(to, ' ')
		case c == '%':
			if i+2 >= len(b) {
				return to, false
			}
			hi, lo := hexDigit(b[i+1]), hexDigit(b[i+2])
			if hi < 0 || lo < 0 {
				return to, false
			}
			to = append(to, byte(hi<<4|lo))
			i += 2
		default:
			form = form || c == '?'
			to = append(to, c)
		}
	}
	return to, true
}

func hexDigit(c byte) int {
	return strings.IndexByte(lowerHex, lower(c))
}

func encodeURL(to, b []byte) []byte {
	for _, c := range b {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			to = append(to, c)
		} else {
			to = append(to, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return to
}

// makeSubstitute replaces as sed does.
func makeSubstitute(a *Arguments) (Convert, error) {
	flags := a.at(2)
	if rest := strings.Trim(flags, "gi"); rest != "" {
		return nil, fmt.Errorf("flag %q is not g or i", rest)
	}
	first, err := compileExpression(a.at(0), strings.Contains(flags, "i"))
	if err != nil {
		return nil, err
	}
	later := first // it must not take where the last match ended for the beginning
	if strings.Contains(a.at(0), "^") {
		later, err = regexp.Compile(`(?s:\A.).*?(` + first.String() + `)`)
	}
	everywhere, with := strings.Contains(flags, "g"), a.at(1)
	return func(in *Input, v *Value) Outcome {
		b, to := v.Str, in.room()
		for at := 0; ; {
			at0 := at
			var m []int
			if at > 0 && later != first {
				if m = later.FindSubmatchIndex(b[at-1:]); m != nil {
					m, at0 = m[2:], at-1
				}
			} else {
				m = first.FindSubmatchIndex(b[at:])
			}
			if m == nil {
				to = append(to, b[at:]...)
				break
			}
			for i := range m {
				if m[i] >= 0 {
					m[i] += at0
				}
			}
			to = append(to, b[at:m[0]]...)
			if to = appendReplacement(to, b, with, m); len(to) > longest {
				return Missing
			}
			if !everywhere {
				to = append(to, b[m[1]:]...)
				break
			}
			if at >= len(b) {
				break
			}
			if m[1] == at { // it stands in front of a character
				to = append(to, b[at])
				m[1]++
			}
			at = m[1]
		}
		return v.bytes(Str, in.keep(to))
	}, err
}

// appendReplacement writes a replacement with \N for the groups of m.
func appendReplacement(to, b []byte, with string, m []int) []byte {
	for i := 0; i < len(with); i++ {
		c := with[i]
		if c != '\\' || i+1 == len(with) {
			to = append(to, c)
			continue
		}
		i++
		if c = with[i]; c < '0' || c > '9' {
			to = append(to, c)
			continue
		}
		if n := 2 * int(c-'0'); n < len(m) && m[n] >= 0 {
			to = append(to, b[m[n]:m[n+1]]...)
		}
	}
	return to
}

// makeLanguage reads accept-language (RFC 9110 section 12.5.4): the first of
// the highest weight among the languages offered. One with a variant stands
// for that without when only the latter is offered.
func makeLanguage(a *Arguments) (Convert, error) {
	offered, otherwise := strings.Split(a.at(0), ";"), a.at(1)
	return func(in *Input, v *Value) Outcome {
		best, weight := "", 0
		for rest, more := v.Str, true; more; {
			var one []byte
			one, rest, more = bytes.Cut(rest, []byte(","))
			name, params, _ := bytes.Cut(one, []byte(";"))
			name = bytes.TrimSpace(name)
			q := 1000
			if text, ok := bytes.CutPrefix(bytes.TrimSpace(params), []byte("q=")); ok {
				q = thousandths(text)
			}
			if q <= weight {
				continue
			}
			for _, o := range offered {
				if string(name) == o || len(name) > len(o) && name[len(o)] == '-' && string(name[:len(o)]) == o {
					best, weight = o, q
					break
				}
			}
		}
		switch {
		case weight > 0:
		case a.has(1):
			best = otherwise
		default:
			return Missing
		}
		return v.bytes(Str, in.keep(append(in.room(), best...)))
	}, nil
}

// thousandths reads a weight: 1, 0 or 0 with up to three digits behind a dot.
func thousandths(b []byte) (n int) {
	b = bytes.TrimSpace(b)
	one, digits, _ := bytes.Cut(b, []byte("."))
	if string(one) == "1" {
		return 1000
	}
	for i, by := 0, 100; i < len(digits) && by > 0; i, by = i+1, by/10 {
		if digits[i] < '0' || digits[i] > '9' {
			break
		}
		n += int(digits[i]-'0') * by
	}
	return n
}

// makeJSON escapes. A decoder of UTF-8 may leave out what is wrong (s), and
// take what is written in too many bytes (p).
func makeJSON(a *Arguments) (Convert, error) {
	var code, silent, permissive bool
	switch a.at(0) {
	case "", "ascii":
	case "utf8":
		code = true
	case "utf8s":
		code, silent = true, true
	case "utf8p":
		code, permissive = true, true
	case "utf8ps":
		code, silent, permissive = true, true, true
	default:
		return nil, fmt.Errorf("%q is not ascii, utf8, utf8s, utf8p or utf8ps", a.at(0))
	}
	return func(in *Input, v *Value) Outcome {
		to := in.room()
		for b := v.Str; len(b) > 0; {
			r, size, good := rune(b[0]), 1, true
			if code && r >= 0x80 {
				r, size, good = decodeRune(b, permissive)
				if good = good && r <= 0xffff; !good && !silent {
					return Missing
				}
			}
			if b = b[size:]; good {
				to = appendJSON(to, r)
			}
		}
		return v.bytes(Str, in.keep(to))
	}, nil
}

// decodeRune reads one character of UTF-8, also one that is written in more
// bytes than it needs.
func decodeRune(b []byte, overlong bool) (r rune, size int, ok bool) {
	if r, size = utf8.DecodeRune(b); r != utf8.RuneError || size > 1 {
		return r, size, true
	}
	n := 0
	switch c := b[0]; {
	case c&0xe0 == 0xc0:
		n, r = 1, rune(c&0x1f)
	case c&0xf0 == 0xe0:
		n, r = 2, rune(c&0x0f)
	case c&0xf8 == 0xf0:
		n, r = 3, rune(c&0x07)
	default:
		return 0, 1, false
	}
	size = 1
	for ; size <= n; size++ {
		if size >= len(b) || b[size]&0xc0 != 0x80 {
			return 0, size, false
		}
		r = r<<6 | rune(b[size]&0x3f)
	}
	surrogate := r >= 0xd800 && r <= 0xdfff
	return r, size, overlong && !surrogate
}

func appendJSON(to []byte, r rune) []byte {
	if i := strings.IndexRune("\"\\/\b\f\n\r\t", r); i >= 0 {
		return append(to, '\\', `"\/bfnrt`[i])
	}
	if r >= ' ' && r < 0x7f {
		return append(to, byte(r))
	}
	return append(to, '\\', 'u', lowerHex[r>>12&15], lowerHex[r>>8&15], lowerHex[r>>4&15], lowerHex[r&15])
}
