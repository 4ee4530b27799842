package script

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// leading is the number a text begins with, as HAProxy turns text into one: 0
// without digits, and no further than 64 bits go.
func leading(text string) int64 {
	end := 0
	if text != "" && (text[0] == '-' || text[0] == '+') {
		end = 1
	}
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	n, _ := strconv.ParseInt(text[:end], 10, 64) // out of range answers the end of it
	return n
}

// literalInt reads a number of the configuration: decimal, all of the text.
func literalInt(text string) (string, error) {
	digits := text
	if text != "" && (text[0] == '-' || text[0] == '+') {
		digits = text[1:]
	}
	if text == "" || strings.Trim(digits, "0123456789") != "" {
		return "", fmt.Errorf("%q is not a number", text)
	}
	return strconv.FormatInt(leading(text), 10), nil
}

func literalBool(text string) (string, error) {
	switch strings.ToLower(text) {
	case "0", "false":
		return "0", nil
	case "1", "true":
		return "1", nil
	}
	return "", fmt.Errorf("%q is not true, false, 0 or 1", text)
}

func literalBin(text string) (string, error) {
	b, err := hex.DecodeString(text)
	if err != nil {
		return "", fmt.Errorf("%q is not hexadecimal", text)
	}
	return string(b), nil
}

func literalAddr(text string, of func(netip.Addr) bool) (string, error) {
	a, err := netip.ParseAddr(text)
	if err != nil || !of(a) || a.Zone() != "" {
		return "", fmt.Errorf("%q is not an address of this family", text)
	}
	return a.String(), nil
}

// arithmetic makes a converter of two numbers. No text at all is no number.
func arithmetic(do func(a, b int64) int64) converter {
	return converter{1, func(v string, a []string) (string, bool) {
		return strconv.FormatInt(do(leading(v), leading(a[0])), 10), v != ""
	}}
}
