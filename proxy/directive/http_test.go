package directive

import (
	"maps"
	"strings"
	"testing"

	"herald/config"
)

func TestNamesInAnotherCaseComeFromLinesAndFiles(t *testing.T) {
	cfg, diags := build("global\n h1-case-adjust content-type Content-TYPE\n h1-case-adjust-file /etc/haproxy/headers.map\nlisten l\n bind :1\n", world)
	for _, d := range diags {
		if d.Severity == config.Error {
			t.Error(d)
		}
	}
	want := map[string]string{"content-type": "Content-TYPE", "content-length": "Content-LENGTH", "etag": "ETag"}
	if !maps.Equal(cfg.Global.HeaderCase, want) {
		t.Errorf("got %v, want %v", cfg.Global.HeaderCase, want)
	}
}

func TestHTTPOptionsSayWhatTheyExpect(t *testing.T) {
	for text, want := range map[string]string{
		"global\n h1-case-adjust content-type Kontent-Type\n":                          `differ in more than case`,
		"global\n h1-case-adjust etag ETag\n h1-case-adjust etag Etag\n":               `already written "ETag"`,
		"global\n h1-case-adjust-file /none\n":                                         `/none`,
		"listen l\n mode http\n bind :1\n option http-restrict-req-hdr-names rejekt\n": `did you mean "reject"?`,
		"listen l\n mode http\n bind :1\n option originalto if-none\n":                 `unknown argument "if-none"`,
		"listen l\n mode http\n bind :1\n http-send-name-header X:Y\n":                 `not a header name`,
		"listen l\n mode http\n bind :1\n http-reuse alway\n":                          `did you mean "always"?`,
		"listen l\n mode http\n bind :1\n retry-on none 503\n":                         `"none" stands alone`,
		"listen l\n mode http\n bind :1\n retry-on conn-failure 302\n":                 `unknown kind of failure "302"`,
		"listen l\n mode http\n bind :1\n server s 1.1.1.1:1 pool-max-conn -2\n":       `-2`,
	} {
		_, diags := build(text, world)
		var all strings.Builder
		for _, d := range diags {
			if d.Severity == config.Error {
				all.WriteString(d.String() + " " + d.Fix + "\n")
			}
		}
		if !strings.Contains(all.String(), want) {
			t.Errorf("%q: got %q, want %q in it", text, all.String(), want)
		}
	}
}
