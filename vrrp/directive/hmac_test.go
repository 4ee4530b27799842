package directive

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"herald/config"
	"herald/config/block"
	"herald/vrrp/settings"
)

const hexKey = "hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

// hmacOf builds one instance with this auth_hmac block and these other words.
func hmacOf(t *testing.T, words, other string) (*settings.HMAC, string) {
	t.Helper()
	text := fmt.Sprintf("vrrp_instance v {\n interface eth0\n virtual_router_id 51\n priority 100\n %s\n auth_hmac {\n%s\n }\n virtual_ipaddress {\n 192.0.2.1\n }\n}\n", other, words)
	var diags config.Diagnostics
	cfg := Build(block.Parse(text1(text), block.Options{Path: "keepalived.conf"}, &diags), Options{HostName: "h", ReadSecret: func(path string) ([]byte, error) {
		if path == "/k" {
			return []byte(hexKey + "\n"), nil
		}
		return nil, errors.New("no such file")
	}}, &diags)
	diags.Sort()
	all := findings(&diags)
	if len(cfg.Instances) == 0 {
		return nil, all
	}
	return cfg.Instances[0].HMAC, all
}

func TestAuthHMACIsRead(t *testing.T) {
	raw := make([]byte, 32)
	for i := range raw {
		raw[i] = byte(i)
	}
	h, said := hmacOf(t, " key 1 "+hexKey+"\n key 2 file:/k\n key 3 "+strings.Repeat("x", 40)+"\n active_key 2\n anti_replay time\n time_window 7\n mode receive-only", "")
	if h == nil || said != "" {
		t.Fatalf("%v %s", h, said)
	}
	if len(h.Keys) != 3 || !bytes.Equal(h.Keys[0].Secret, raw) || !bytes.Equal(h.Keys[1].Secret, raw) || len(h.Keys[2].Secret) != 40 {
		t.Errorf("keys: %d", len(h.Keys))
	}
	if h.Active != 2 || h.Window != 7*time.Second || h.Mode != settings.HMACReceiveOnly {
		t.Errorf("active %d, window %v, mode %d", h.Active, h.Window, h.Mode)
	}
	for words, want := range map[string]time.Duration{"": 5 * time.Second, "anti_replay monotonic": 0, "anti_replay monotonic\n time_window 9": 0} {
		if h, findings := hmacOf(t, " key 9 "+hexKey+"\n "+words, ""); h == nil || h.Window != want || h.Active != 9 {
			t.Errorf("%q: %+v %s", words, h, findings)
		}
	}
	if h, _ := hmacOf(t, " key 1 "+hexKey, "advert_int 10"); h == nil || h.Window != 30*time.Second {
		t.Errorf("window of a long interval: %+v", h)
	}
	if got := fmt.Sprintf("%v %+v %#v", h.Keys[0], h.Keys[0], h.Keys[0]); strings.Contains(got, "0") {
		t.Errorf("a key shows itself: %s", got)
	}
}

func TestAuthHMACSaysWhatIsWrong(t *testing.T) {
	for words, want := range map[string]string{
		"":                  "auth_hmac has no usable key",
		" key 1 hex:00":     "key 1 has 1 bytes, expected 32 to 64",
		" key 1 hex:xx":     "not pairs of hex digits",
		" key 0 " + hexKey:  "0 is outside 1 to 255",
		" key 1 file:/none": "no such file",
		" key 1 " + hexKey + "\n key 1 " + hexKey: "key 1 is given twice",
		" key 1 " + hexKey + "\n key 2 " + hexKey: "several keys and no active_key",
		" key 1 " + hexKey + "\n active_key 2":    "active_key 2 is none of the keys",
		" key 1 " + hexKey + "\n mode enforced":   `did you mean "enforce"`,
		" key 1 " + hexKey + "\n anti_replay tim": `did you mean "time"`,
		" key 1 " + hexKey + "\n keys 2":          `did you mean "key"`,
	} {
		_, findings := hmacOf(t, words, "")
		if !strings.Contains(findings, want) {
			t.Errorf("%q: got %q, want %q in it", words, findings, want)
		}
		if strings.Contains(findings, "0102030405") {
			t.Errorf("%q: the secret is shown: %s", words, findings)
		}
	}
	if h, findings := hmacOf(t, " key 1 "+hexKey, "authentication {\n auth_type PASS\n auth_pass x\n }"); h != nil || !strings.Contains(findings, "exclude each other") {
		t.Errorf("with authentication: %v %s", h, findings)
	}
}
