package config

import (
	"strings"
	"testing"
	"time"
)

func TestDurationIsHAProxysTimeFormat(t *testing.T) {
	tests := map[string]time.Duration{
		"0": 0, "5000": 5 * time.Second, "10us": 10 * time.Microsecond, "10ms": 10 * time.Millisecond, "3s": 3 * time.Second,
		"2m": 2 * time.Minute, "1h": time.Hour, "24d": 24 * 24 * time.Hour, "007": 7 * time.Millisecond,
	}
	for text, want := range tests {
		if got, err := Duration(text, time.Millisecond); err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	if got, _ := Duration("5", time.Second); got != 5*time.Second {
		t.Errorf("a bare number in seconds: got %v, want 5s", got)
	}
	for text, want := range map[string]string{
		"": "is not a time", "s": "is not a time", "-1s": "is not a time", "1.5s": "not a unit", "5w": "not a unit", "5 s": "not a unit",
		"5S": "not a unit", "99999999999999999999": "too large", "9223372036854775807d": "too large", "106752d": "too large",
	} {
		if got, err := Duration(text, time.Millisecond); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, %v, want an error with %q", text, got, err, want)
		}
	}
}

func TestSizeCountsIn1024(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "100": 100, "2k": 2048, "2K": 2048, "3m": 3 << 20, "1g": 1 << 30, "1G": 1 << 30} {
		if got, err := Size(text); err != nil || got != want {
			t.Errorf("%q: got %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "k", "-1", "1t", "1kb", "99999999999999999999", "9223372036854775807g"} {
		if got, err := Size(text); err == nil {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
}

func TestIntStaysInItsBounds(t *testing.T) {
	for text, want := range map[string]int{"1": 1, "10": 10, "010": 10, "-5": -5} {
		if got, err := Int(text, -5, 10); err != nil || got != want {
			t.Errorf("%q: got %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "x", "1.0", "0x1", "11", "-6", "99999999999999999999", "1 "} {
		if got, err := Int(text, -5, 10); err == nil {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
}

func TestSecondsHaveMicroseconds(t *testing.T) {
	tests := map[string]time.Duration{
		"0": 0, "1": time.Second, "0.25": 250 * time.Millisecond, ".5": 500 * time.Millisecond, "2.": 2 * time.Second,
		"1.000001": time.Second + time.Microsecond, "1.0000019": time.Second + time.Microsecond, "10": 10 * time.Second,
	}
	for text, want := range tests {
		if got, err := Seconds(text); err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", ".", "-1", "1s", "1.x", "1.2.3", "1234567890", "+1", " 1"} {
		if got, err := Seconds(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}

func TestBoolWords(t *testing.T) {
	for text, want := range map[string]bool{"on": true, "true": true, "yes": true, "off": false, "false": false, "no": false} {
		if got, err := Bool(text); err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "ON", "1", "maybe"} {
		if _, err := Bool(text); err == nil {
			t.Errorf("%q: want an error", text)
		}
	}
}
