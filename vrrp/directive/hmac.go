package directive

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"herald/config"
	"herald/config/block"
	"herald/vrrp/settings"
)

// hmacDraft is an auth_hmac block as written.
type hmacDraft struct {
	settings.HMAC
	set       bool
	monotonic bool
	active    block.Statement
	pos       config.Pos
}

type hmacKeyword = keyword[hmacDraft]

// Bounds of the extension.
const (
	leastSecret = 32
	mostSecret  = 64
	mostWindow  = 300 * time.Second
	leastWindow = 5 * time.Second // of one derived from the interval
)

var hmacWords = config.NewRegistry(
	row[hmacDraft]{Name: "key", Syntax: "ID SECRET", Doc: "A secret by its number, 1 to 255: 32 to 64 bytes, as text, as hex:DIGITS, or from file:PATH.",
		Example: "key 1 hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", Do: hmacKeyword{act: hmacKey}},
	row[hmacDraft]{Name: "active_key", Syntax: "ID", Doc: "The key that signs; change it node by node to rotate.", Example: "active_key 1",
		Do: hmacKeyword{act: func(b *build, h *hmacDraft, st block.Statement) {
			h.active = st
			h.Active = uint8(b.number(st, 1, 1, 255, 0))
		}}},
	row[hmacDraft]{Name: "anti_replay", Syntax: "time|monotonic", Doc: "time, the default, refuses advertisements outside time_window and needs synchronised clocks; monotonic wants growing numbers alone.",
		Example: "anti_replay time", Do: hmacKeyword{act: func(b *build, h *hmacDraft, st block.Statement) {
			switch st.Arg(1) {
			case "time":
				h.monotonic = false
			case "monotonic":
				h.monotonic = true
			default:
				b.diags.Unknown(st.Words[1].Pos, config.Error, "mode", st.Arg(1), []string{"time", "monotonic"})
			}
		}}},
	row[hmacDraft]{Name: "time_window", Syntax: "SECONDS", Doc: "How far a sender's clock may be off, 1 to 300; three intervals when not given, five seconds at least.",
		Example: "time_window 5", Do: hmacKeyword{act: func(b *build, h *hmacDraft, st block.Statement) {
			h.Window = b.seconds(st, 1, time.Second, mostWindow, 0)
		}}},
	row[hmacDraft]{Name: "mode", Syntax: "enforce|permissive|receive-only", Doc: "enforce, the default; permissive also accepts unsigned advertisements; receive-only signs none either. A group moves from the last to the first without a gap.",
		Example: "mode enforce", Do: hmacKeyword{act: func(b *build, h *hmacDraft, st block.Statement) {
			modes := []string{"enforce", "permissive", "receive-only"}
			i := slices.Index(modes, st.Arg(1))
			if i < 0 {
				b.diags.Unknown(st.Words[1].Pos, config.Error, "mode", st.Arg(1), modes)
				return
			}
			h.Mode = settings.HMACMode(i)
		}}},
)

// hmacKey reads a key. No finding shows the secret.
func hmacKey(b *build, h *hmacDraft, st block.Statement) {
	id := b.number(st, 1, 1, 255, 0)
	secret, err := b.secret(st.Arg(2))
	switch {
	case id == 0:
		return
	case err != nil:
		b.diags.Errorf(st.Words[2].Pos, "key", "key %d: %v", id, err)
		return
	case len(secret) < leastSecret || len(secret) > mostSecret:
		b.diags.Errorf(st.Words[2].Pos, "key", "key %d has %d bytes, expected %d to %d", id, len(secret), leastSecret, mostSecret)
		return
	case slices.ContainsFunc(h.Keys, func(k settings.HMACKey) bool { return int(k.ID) == id }):
		b.diags.Errorf(st.Words[1].Pos, st.Arg(1), "key %d is given twice", id)
		return
	}
	h.Keys = append(h.Keys, settings.HMACKey{ID: uint8(id), Secret: secret})
}

// secret reads the value of a key.
func (b *build) secret(text string) ([]byte, error) {
	if path, ok := strings.CutPrefix(text, "file:"); ok {
		if b.o.ReadSecret == nil {
			return nil, fmt.Errorf("file %q cannot be read here", path)
		}
		content, err := b.o.ReadSecret(path)
		if err != nil {
			return nil, err
		}
		text = strings.TrimRight(string(content), "\r\n")
	}
	digits, ok := strings.CutPrefix(text, "hex:")
	if !ok {
		return []byte(text), nil
	}
	secret, err := hex.DecodeString(digits)
	if err != nil {
		return nil, fmt.Errorf("what follows hex: is not pairs of hex digits")
	}
	return secret, nil
}

// finishHMAC decides the authentication extension of an instance.
func (b *build) finishHMAC(d *draft) {
	h := &d.hmac
	if !h.set {
		return
	}
	switch {
	case d.auth != (auth{}):
		b.fault(d, h.pos, "auth_hmac", "auth_hmac and authentication exclude each other")
		return
	case len(h.Keys) == 0:
		b.fault(d, h.pos, "auth_hmac", "auth_hmac has no usable key")
		return
	case h.Active == 0 && len(h.Keys) == 1:
		h.Active = h.Keys[0].ID
	case h.Active == 0:
		b.fault(d, h.pos, "auth_hmac", "auth_hmac has several keys and no active_key")
		return
	case !slices.ContainsFunc(h.Keys, func(k settings.HMACKey) bool { return k.ID == h.Active }):
		b.fault(d, h.active.Pos, "active_key", "active_key %d is none of the keys", h.Active)
		return
	}
	switch {
	case h.monotonic:
		h.Window = 0
	case h.Window == 0:
		h.Window = max(3*d.AdvertInt, leastWindow)
	}
	out := h.HMAC
	d.HMAC = &out
}
