package admin

import (
	"strings"
	"testing"
)

func TestResolversAreShownAndNamesChanged(t *testing.T) {
	s := server(&fake{})
	if got := s.Do("show resolvers dns", User); !strings.HasPrefix(got, "Resolvers section dns\n nameserver n1:\n  sent:        7\n  snd_error:   0\n") ||
		!strings.Contains(got, "  outdated:    2\n") {
		t.Errorf("got %q", got)
	}
	for command, want := range map[string]string{
		"show resolvers nope":           "Can't find that resolvers section\n",
		"set server be/s1 fqdn":         "set server <b>/<s> fqdn requires a FQDN.\n",
		"set server be/s1 fqdn a..b":    "invalid FQDN 'a..b'\n",
		"set server be/s1 fqdn new.t":   "be/s1 changed its FQDN from old.test to new.t by 'stats socket command'\n",
		"set server be/s1 fqdn nowhere": "set server <b>/<s> fqdn failed because no resolution is configured.\n",
	} {
		if got := s.Do(command, Admin); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %q, want %q", command, got, want)
		}
	}
}
