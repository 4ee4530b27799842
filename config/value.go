package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration reads a HAProxy time (Configuration manual 2.5): a decimal number
// with us, ms, s, m, h or d, in unit when it has none.
func Duration(text string, unit time.Duration) (time.Duration, error) {
	digits := leadingDigits(text)
	if digits == 0 {
		return 0, fmt.Errorf("%q is not a time, expected a number with us, ms, s, m, h or d", text)
	}
	switch text[digits:] {
	case "":
	case "us":
		unit = time.Microsecond
	case "ms":
		unit = time.Millisecond
	case "s":
		unit = time.Second
	case "m":
		unit = time.Minute
	case "h":
		unit = time.Hour
	case "d":
		unit = 24 * time.Hour
	default:
		return 0, fmt.Errorf("%q is not a unit of time in %q, expected us, ms, s, m, h or d", text[digits:], text)
	}
	n, err := strconv.ParseInt(text[:digits], 10, 64)
	if err != nil || n > math.MaxInt64/int64(unit) {
		return 0, fmt.Errorf("time %q is too large", text)
	}
	return time.Duration(n) * unit, nil
}

// Size reads a HAProxy size in bytes: a decimal number with k, m or g
// (1024-based, either case) or none.
func Size(text string) (int64, error) {
	digits := leadingDigits(text)
	if digits == 0 {
		return 0, fmt.Errorf("%q is not a size, expected a number with k, m or g", text)
	}
	shift := 0
	switch strings.ToLower(text[digits:]) {
	case "":
	case "k":
		shift = 10
	case "m":
		shift = 20
	case "g":
		shift = 30
	default:
		return 0, fmt.Errorf("%q is not a unit of size in %q, expected k, m or g", text[digits:], text)
	}
	n, err := strconv.ParseInt(text[:digits], 10, 64)
	if err != nil || n > math.MaxInt64>>shift {
		return 0, fmt.Errorf("size %q is too large", text)
	}
	return n << shift, nil
}

// Int reads a decimal number from lo to hi. A leading zero does not mean
// octal.
func Int(text string, lo, hi int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a whole number from %d to %d", text, lo, hi)
	}
	if n < lo || n > hi {
		return 0, fmt.Errorf("%d is outside %d to %d", n, lo, hi)
	}
	return n, nil
}

// Seconds reads a keepalived timer: decimal seconds with up to microsecond
// resolution ("1", "0.25").
func Seconds(text string) (time.Duration, error) {
	whole, frac, _ := strings.Cut(text, ".")
	if whole == "" && frac == "" {
		return 0, fmt.Errorf("%q is not a number of seconds", text)
	}
	if leadingDigits(whole) != len(whole) || leadingDigits(frac) != len(frac) || len(whole) > 9 {
		return 0, fmt.Errorf("%q is not a number of seconds", text)
	}
	frac = (frac + "000000")[:6]
	s, _ := strconv.ParseInt("0"+whole, 10, 64)
	us, _ := strconv.ParseInt(frac, 10, 64)
	return time.Duration(s)*time.Second + time.Duration(us)*time.Microsecond, nil
}

// Bool reads a keepalived BOOL: on, off, true, false, yes or no, in lower
// case (keepalived.conf(5)).
func Bool(text string) (bool, error) {
	switch text {
	case "on", "true", "yes":
		return true, nil
	case "off", "false", "no":
		return false, nil
	}
	return false, fmt.Errorf("%q is not on, off, true, false, yes or no", text)
}

func leadingDigits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
