package tlsconf

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"herald/proxy/settings"
)

func TestTheLastButOneTicketKeySeals(t *testing.T) {
	var lines []string
	var sums [][32]byte
	for i := range 4 {
		key := bytes.Repeat([]byte{byte(i)}, []int{48, 80}[i%2])
		lines = append(lines, base64.StdEncoding.EncodeToString(key))
		sums = append(sums, sha256.Sum256(key))
	}
	read := func(lines ...string) ([][32]byte, error) {
		return TicketKeys(&settings.File{Path: "k", Bytes: []byte(strings.Join(lines, "\n") + "\n")})
	}
	got, err := read(lines...)
	if err != nil || len(got) != 4 || got[0] != sums[2] || got[1] != sums[3] || got[2] != sums[0] || got[3] != sums[1] {
		t.Errorf("got %x, %v", got, err)
	}
	for want, bad := range map[string][]string{"k: 2 keys": lines[:2], "k:2: not a key": {lines[0], "abcd", lines[1]}, "k:1: not a key": {"%%", lines[0], lines[1]}} {
		if _, err := read(bad...); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %q", bad, err, want)
		}
	}
}
