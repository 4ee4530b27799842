package block

import (
	"strings"
	"unicode/utf8"

	"herald/config"
)

// A quotation is one quoted stretch of a line: from the opening mark at start
// to the byte after the closing mark at end, its content between open and
// shut.
type quotation struct {
	start, open, shut, end int
	typographic            bool
	mark                   byte // the ASCII mark it stands for
	unclosed               bool
}

// quoteAt recognises a quotation that opens at line[i]. A double quote opens
// anywhere; a single or typographic one only at the start of a word, so that
// "it's" stays a word. Single and typographic quotes without a partner on the
// line are ordinary characters; a double quote without one runs to the end.
func quoteAt(line string, i int, wordStart bool) (q quotation, ok bool) {
	switch c := line[i]; {
	case c == '"':
		return asciiQuote(line, i)
	case c == '\'' && wordStart:
		q, ok = asciiQuote(line, i)
		return q, ok && !q.unclosed
	case c >= utf8.RuneSelf && wordStart:
		return typographicQuote(line, i)
	}
	return q, false
}

func asciiQuote(line string, i int) (quotation, bool) {
	mark := line[i]
	for j := i + 1; j < len(line); j++ {
		switch {
		case line[j] == '\\' && mark == '"':
			j++
		case line[j] == mark:
			return quotation{start: i, open: i + 1, shut: j, end: j + 1, mark: mark}, true
		}
	}
	// A closing typographic mark ends what an ASCII mark began: word
	// processors change only one of the two now and then.
	if shut, size := closingMark(line[i+1:], mark); shut >= 0 {
		shut += i + 1
		return quotation{start: i, open: i + 1, shut: shut, end: shut + size, mark: mark, typographic: true}, true
	}
	return quotation{start: i, open: i + 1, shut: len(line), end: len(line), mark: mark, unclosed: true}, true
}

func typographicQuote(line string, i int) (quotation, bool) {
	r, size := utf8.DecodeRuneInString(line[i:])
	mark := asciiMark(r)
	if mark == 0 {
		return quotation{}, false
	}
	from := i + size
	shut, shutSize := closingMark(line[from:], mark)
	if ascii := strings.IndexByte(line[from:], mark); ascii >= 0 && (shut < 0 || ascii < shut) {
		shut, shutSize = ascii, 1
	}
	if shut < 0 {
		return quotation{}, false
	}
	shut += from
	return quotation{start: i, open: from, shut: shut, end: shut + shutSize, mark: mark, typographic: true}, true
}

// closingMark finds the first typographic quote in s that stands for mark.
func closingMark(s string, mark byte) (at, size int) {
	for at, r := range s {
		if asciiMark(r) == mark {
			return at, utf8.RuneLen(r)
		}
	}
	return -1, 0
}

// asciiMark returns the ASCII quote a typographic one stands for, or 0.
func asciiMark(r rune) byte {
	switch r {
	case '“', '”', '„', '‟', '″', '«', '»':
		return '"'
	case '‘', '’', '‚', '‛', '′':
		return '\''
	}
	return 0
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f' }

// stripComment returns line without its comment: # or ! up to the end, outside
// quotes. A backslash before either keeps it (keepalived 2.3).
func stripComment(line string) string {
	var kept strings.Builder // what stands before the last escaped sign
	from, wordStart := 0, true
	for i := 0; i < len(line); i++ {
		if q, ok := quoteAt(line, i, wordStart); ok {
			i = q.end - 1
			wordStart = false
			continue
		}
		switch c := line[i]; {
		case (c == '#' || c == '!') && i > 0 && line[i-1] == '\\':
			kept.WriteString(line[from : i-1])
			from = i
			wordStart = false
		case c == '#' || c == '!':
			return kept.String() + line[from:i]
		default:
			wordStart = isBlank(c) || c == '{' || c == '}'
		}
	}
	return kept.String() + line[from:]
}

// A token is a word or a brace.
type token struct {
	word  Word
	brace byte // '{', '}' or 0 for a word
}

// scan parts one line, comments gone and macros replaced, into tokens.
// Columns count from 1 when exact, else every word stands at pos.
func scan(line string, pos config.Pos, exact bool, diags *config.Diagnostics) []token {
	var tokens []token
	for i := 0; i < len(line); {
		c := line[i]
		switch {
		case isBlank(c) || c == '\n':
			i++
			continue
		case c == '{' || c == '}':
			tokens = append(tokens, token{brace: c, word: Word{Pos: column(pos, i, exact)}})
			i++
			continue
		}
		secret := len(tokens) > 0 && IsSecret(tokens[len(tokens)-1].word.Text)
		w, next := scanWord(line, i, column(pos, i, exact), secret, diags)
		tokens = append(tokens, token{word: w})
		i = next
	}
	return tokens
}

func column(pos config.Pos, i int, exact bool) config.Pos {
	if exact {
		pos.Column = i + 1
	}
	return pos
}

// IsSecret reports whether the argument of keyword must appear in no finding.
func IsSecret(keyword string) bool {
	return keyword == "auth_pass" || keyword == "password" || keyword == "key"
}

// scanWord reads the word at line[i]; quoted and unquoted parts that touch
// are one word. A secret one is not shown in findings.
func scanWord(line string, i int, pos config.Pos, secret bool, diags *config.Diagnostics) (Word, int) {
	w := Word{Pos: pos}
	var text, raw strings.Builder
	start := i
	for i < len(line) {
		if q, ok := quoteAt(line, i, i == start); ok {
			content := line[q.open:q.shut]
			if i == start {
				w.Quote = q.mark
			}
			w.Quoted = true
			raw.WriteString(content)
			text.WriteString(strings.ReplaceAll(content, `\"`, `"`))
			reportQuote(q, line, pos, secret, diags)
			i = q.end
			continue
		}
		c := line[i]
		if isBlank(c) || c == '}' || c == '{' || c == '\n' {
			break
		}
		if end := reference(line, i); end > i { // an undefined ${NAME} keeps its braces
			text.WriteString(line[i:end])
			raw.WriteString(line[i:end])
			i = end
			continue
		}
		text.WriteByte(c)
		raw.WriteByte(c)
		i++
	}
	w.Text, w.Raw = text.String(), raw.String()
	return w, i
}

func reportQuote(q quotation, line string, pos config.Pos, secret bool, diags *config.Diagnostics) {
	content := line[q.open:q.shut]
	if secret {
		content = "..."
	}
	switch {
	case q.typographic:
		open, shut := line[q.start:q.open], line[q.shut:q.end]
		diags.Add(config.Diagnostic{Pos: pos, Severity: config.Warning, Word: open + content + shut,
			Message: "typographic quotes " + open + " " + shut + " are read as plain ones; write",
			Fix:     string(q.mark) + content + string(q.mark)})
	case q.unclosed:
		diags.Warnf(pos, string(q.mark)+content, "the quotation mark before %q is not closed on this line", content)
	}
}

// reference returns the end of a ${...} at line[i], or i when there is none.
func reference(line string, i int) int {
	if !strings.HasPrefix(line[i:], "${") {
		return i
	}
	n := nameLen(line[i+2:])
	if end := i + 2 + n; n > 0 && end < len(line) && line[end] == '}' {
		return end + 1
	}
	return i
}
