package proxyproto

import (
	"errors"
	"net/netip"
	"testing"
)

// The bytes are those of "SOCKS: A protocol for TCP proxy across firewalls",
// with the user HAProxy 2.6.12 names.
func TestSOCKS4(t *testing.T) {
	for _, to := range []string{"192.0.2.1:8080", "[::ffff:192.0.2.1]:8080"} {
		if got, want := string(AppendSOCKS4([]byte("x"), netip.MustParseAddrPort(to))), "x\x04\x01\x1f\x90\xc0\x00\x02\x01HAProxy\x00"; got != want {
			t.Errorf("%s: got %q, want %q", to, got, want)
		}
	}
	for reply, want := range map[string]error{
		"\x00\x5a\x00\x00\x00\x00\x00\x00": nil, "\x00\x5a\x1f\x90\xc0\x00\x02\x01": nil,
		"\x00\x5b\x00\x00\x00\x00\x00\x00": ErrSOCKS4, "\x00\x5c\x00\x00\x00\x00\x00\x00": ErrSOCKS4, "\x04\x5a\x00\x00\x00\x00\x00\x00": ErrSOCKS4,
		"\x00\x5a\x00\x00\x00\x00\x00": ErrSOCKS4, "": ErrSOCKS4,
	} {
		if err := CheckSOCKS4([]byte(reply)); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", reply, err, want)
		}
	}
}

func TestFieldsAreFoundByTheirType(t *testing.T) {
	const fields = "\x01\x00\x02h2\x02\x00\x00\x01\x00\x01x"
	for _, tt := range []struct {
		fields string
		kind   byte
		want   string
		ok     bool
	}{
		{fields, 1, "h2", true}, {fields, 2, "", true}, {fields, 3, "", false}, {"", 1, "", false},
		{"\x02\x00\x00\x01\x00\x05ab", 1, "", false}, {"\x01\x00", 1, "", false},
	} {
		if got, ok := Find([]byte(tt.fields), tt.kind); string(got) != tt.want || ok != tt.ok {
			t.Errorf("%q, type %d: got %q, %v, want %q, %v", tt.fields, tt.kind, got, ok, tt.want, tt.ok)
		}
	}
}
