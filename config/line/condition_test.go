package line

import (
	"strings"
	"testing"
)

var conditionEnv = Env{Lookup: lookup, Features: []string{"OPENSSL"}, Enabled: []string{"POLL"}, OpenSSL: "3.0.2", SSLLibrary: "OpenSSL"}

func TestConditionValue(t *testing.T) {
	tests := map[string]bool{
		"": false, "0": false, "1": true, "-1": true, "+1": true, "00": false, "0x10": true, "99999999999999999999": true,
		"1 && 0 || 1": true, "1 || 0 && 0": true, "0 || 0": false, "1&&1": true, "!1": false, "!!1": true, "! 0": true,
		"(1) && !(0 || 0)": true, "!(1 || 0)": false, " ( 1 ) ": true,
		"defined(A)": true, "defined(E)": true, "defined(NOPE)": false, "defined()": false, "defined( A )": false, `defined("A")`: true,
		"feature(OPENSSL)": true, "feature(openssl)": false, "enabled(POLL)": true, "enabled(SPLICE)": false,
		"streq(a,a)": true, "streq(a,b)": false, "streq( a,a)": false, "streq(a b,a b)": true, `streq("a,b","a,b")`: true,
		`streq('a)b',a\)b)`: true, `streq(a\nb,"a\nb")`: true, `streq(a\tb\rc\ d\"e,'a\tb')`: false, "streq(,a)": false,
		"strneq(a,b)": true, "strneq(a,a)": false, "strstr(abc,bc)": true, "strstr(abc,x)": false,
		"version_atleast(2.6)": true, "version_atleast(2.6.12)": true, "version_atleast(2.6.13)": false, "version_atleast(2)": true,
		"version_atleast(2.6-dev3)": true, "version_atleast(2.7-dev1)": false, "version_atleast(abc)": true, "version_atleast(2.6.12.5)": false,
		"version_atleast()":        true,
		"version_before(2.6.12)":   false,
		"version_before(2.6.12-1)": true, "version_before(2.6.12-dev1)": false, "version_before(2.7)": true,
		"version_before(99999999999999999999.1)": true,
		"openssl_version_atleast(1.1.1f)":        true, "openssl_version_atleast(3.0.2)": true, "openssl_version_before(3.0.2)": false,
		"openssl_version_before(4.0.0)": true, "ssllib_name_startswith(Open)": true, "ssllib_name_startswith(AWS)": false,
		"feature(OPENSSL) && (streq(a,b) || streq(c,c))": true,
	}
	for text, want := range tests {
		got, err := Condition(text, conditionEnv, nil)
		if err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestConditionWithoutTLSLibraryHasNoVersion(t *testing.T) {
	for _, text := range []string{"openssl_version_atleast(0)", "openssl_version_before(9)", "ssllib_name_startswith()"} {
		if got, err := Condition(text, Env{}, nil); err != nil || got {
			t.Errorf("%q: got %v, %v, want false", text, got, err)
		}
	}
}

func TestMalformedConditionIsRefused(t *testing.T) {
	tests := []string{
		"1 0", "12abc", "abc", "foo(1)", "1 &&", "0 ||", "(1", "1)", "()", "!", "1 & 1", "defined (A)", "defined(A", "streq(a)", "streq()",
		"streq(a,b,c)", "defined(A,B)", "1 || foo(", "1 && (0", "-", "0xz", strings.Repeat("(", 5000), strings.Repeat("!", 5000) + "1",
	}
	for _, text := range tests {
		if got, err := Condition(text, conditionEnv, nil); err == nil {
			t.Errorf("%.20q: got %v, want an error", text, got)
		}
	}
}

func TestOpenSSLLettersOrderVersions(t *testing.T) {
	ordered := []string{"1.1.0f", "1.1.1", "1.1.1a", "1.1.1f", "3.0.0-alpha1", "3.0.0-beta2", "3.0.0-rc1", "3.0.0", "3.0.0-4", "3.0.0.1"}
	for i := range ordered[1:] {
		if compareVersions(ordered[i], ordered[i+1]) >= 0 {
			t.Errorf("%s does not sort before %s", ordered[i], ordered[i+1])
		}
	}
}
