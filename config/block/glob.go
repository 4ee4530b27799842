package block

import "strings"

// braces expands the csh braces of a file pattern: "a{b,c{d,e}}" gives ab,
// acd, ace. A brace without a partner is an ordinary character. At most limit
// patterns come back.
func braces(pattern string, limit int) []string {
	open, shut, commas := bracePair(pattern)
	if open < 0 {
		return []string{pattern}
	}
	var out []string
	from := open + 1
	tails := braces(pattern[shut+1:], limit)
	for _, comma := range append(commas, shut) {
		for _, alternative := range braces(pattern[from:comma], limit) {
			for _, tail := range tails {
				if len(out) == limit {
					return out
				}
				out = append(out, pattern[:open]+alternative+tail)
			}
		}
		from = comma + 1
	}
	return out
}

// bracePair finds the first complete pair of braces and the commas directly
// inside it; open is -1 when there is none.
func bracePair(s string) (open, shut int, commas []int) {
	for open = strings.IndexByte(s, '{'); open >= 0; {
		depth := 0
		commas = nil
		for i := open; i < len(s); i++ {
			switch s[i] {
			case '{':
				depth++
			case ',':
				if depth == 1 {
					commas = append(commas, i)
				}
			case '}':
				if depth--; depth == 0 {
					return open, i, commas
				}
			}
		}
		next := strings.IndexByte(s[open+1:], '{')
		if next < 0 {
			return -1, 0, nil
		}
		open += 1 + next
	}
	return -1, 0, nil
}

func hasWildcard(pattern string) bool { return strings.ContainsAny(pattern, "*?[") }
