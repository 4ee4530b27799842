package directive

import (
	"maps"
	"slices"
	"testing"
)

func TestErrorPagesComeInGroups(t *testing.T) {
	const groups = "http-errors site\n errorfile 503 /errors/x\n errorfile 504 /errors/x\n errorfile 403 /errors/x\n"
	for text, want := range map[string][]int{
		groups + "listen l\n bind :1\n errorfiles site\n":                               {403, 503, 504},
		"listen l\n bind :1\n errorfiles site\n" + groups:                               {403, 503, 504},
		groups + "listen l\n bind :1\n errorfiles site 504 403\n":                       {403, 504},
		groups + "listen l\n bind :1\n errorfile 500 /errors/x\n errorfiles site 403\n": {403, 500},
		groups + "defaults\n errorfiles site 403\nlisten l\n bind :1\n":                 {403},
	} {
		if got := slices.Sorted(maps.Keys(proxies(t, text)[0].ErrorFiles)); !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"errorfiles other":                  `8: error: unknown http-errors section "other"`,
		"errorfiles sit":                    `8: error: unknown http-errors section "sit": did you mean "site"?`,
		"errorfiles site 500":               `8: warning: errorfiles: http-errors "site" has no page for 500`,
		"errorfiles site x":                 `8: error: errorfiles: status code "x" is not one of [200 400 401 403 404 405 407 408 410 413 425 429 500 501 502 503 504]`,
		"errorfiles":                        `8: error: "errorfiles" expects NAME [STATUS ...]`,
		"http-errors site":                  `9: error: http-errors "site" has the same name as the section at t:8`,
		"http-errors":                       `8: error: "http-errors" expects a name`,
		"http-errors a b\n errorloc 503 /x": `9: error: unknown keyword of http-errors "errorloc"`,
	} {
		if got := found(quiet + text + "\n" + groups); got != want {
			t.Errorf("%q:\n got %s\nwant %s", text, got, want)
		}
	}
}
