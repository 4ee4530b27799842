package line

import (
	"slices"
	"strings"
)

// compareVersions orders "2.6.12", "2.7-dev3", "2.6.12-4" (commits after a
// release) and "1.1.1f". Missing parts count as zero, and so does what is not
// a version at all.
func compareVersions(a, b string) int {
	return slices.Compare(versionParts(a), versionParts(b))
}

// versionParts returns major, minor, patch, sub-patch, suffix rank and suffix
// number. A development version sorts before its release.
func versionParts(text string) []int {
	numbers, suffix, _ := strings.Cut(text, "-")
	parts := make([]int, 6)
	for i := 0; i < 4 && numbers != ""; i++ {
		n, rest := leadingNumber(numbers)
		parts[i] = n
		if i == 2 && len(rest) > 0 && rest[0] >= 'a' && rest[0] <= 'z' {
			parts[3] = int(rest[0]-'a') + 1 // OpenSSL 1's letters
			break
		}
		var dotted bool
		if numbers, dotted = strings.CutPrefix(rest, "."); !dotted {
			break
		}
	}
	for rank, word := range []string{"dev", "alpha", "beta", "rc", "pre"} {
		if rest, ok := strings.CutPrefix(suffix, word); ok {
			parts[4] = rank - 5
			parts[5], _ = leadingNumber(rest)
			return parts
		}
	}
	parts[5], _ = leadingNumber(suffix)
	return parts
}

// leadingNumber reads the digits in front of text, bounded so that it cannot
// overflow.
func leadingNumber(text string) (int, string) {
	n, i := 0, 0
	for ; i < len(text) && text[i] >= '0' && text[i] <= '9'; i++ {
		n = min(n*10+int(text[i]-'0'), 1<<30)
	}
	return n, text[i:]
}
