package tlsconf

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"herald/proxy/settings"
)

// fewestKeys is how many keys a file has at least, as in HAProxy: those
// before, the one tickets are sealed with, and the one after.
const fewestKeys = 3

// TicketKeys reads a file of tls-ticket-keys: a key of 48 or 80 bytes a line,
// in base64. The last but one seals; the others open what was sealed with
// them. It comes first in the answer, as crypto/tls has it. crypto/tls takes
// 32 bytes, made here of all of a line's: nodes with the same file take one
// another's tickets, HAProxy's are of another kind.
func TicketKeys(f *settings.File) ([][32]byte, error) {
	var keys [][32]byte
	lines := bufio.NewScanner(bytes.NewReader(f.Bytes))
	for n := 1; lines.Scan(); n++ {
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 {
			continue
		}
		key, err := base64.StdEncoding.DecodeString(string(text))
		if err != nil || len(key) != 48 && len(key) != 80 {
			return nil, fmt.Errorf("%s:%d: not a key of 48 or 80 bytes in base64", f.Path, n)
		}
		keys = append(keys, sha256.Sum256(key))
	}
	if len(keys) < fewestKeys {
		return nil, fmt.Errorf("%s: %d keys, at least %d are needed: one before, the one in use, one after", f.Path, len(keys), fewestKeys)
	}
	k := len(keys) - 2
	return append([][32]byte{keys[k]}, append(keys[k+1:], keys[:k]...)...), nil
}
