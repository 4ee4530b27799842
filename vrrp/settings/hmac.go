package settings

import (
	"fmt"
	"io"
	"time"
)

// HMAC is the authentication extension of an instance (keepalived 2.4,
// auth_hmac).
type HMAC struct {
	Keys   []HMACKey
	Active uint8 // the id of the key that signs
	// Window is how far a sender's clock may be from ours; 0 accepts any that
	// grows (anti_replay monotonic).
	Window time.Duration
	Mode   HMACMode
}

// HMACKey is one secret, 32 to 64 bytes. It is in no log, dump or status.
type HMACKey struct {
	ID     uint8
	Secret []byte
}

// Format hides the secret, whatever the verb.
func (k HMACKey) Format(f fmt.State, _ rune) { io.WriteString(f, "a key") }

// HMACMode is how far a group has migrated.
type HMACMode int

// Modes. Enforce, the default, signs and refuses what is not signed;
// Permissive signs and accepts it; ReceiveOnly accepts it and signs nothing.
const (
	HMACEnforce HMACMode = iota
	HMACPermissive
	HMACReceiveOnly
)
