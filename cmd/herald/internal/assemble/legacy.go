package assemble

import (
	"encoding/json"

	"herald/cmd/herald/internal/mail"
)

// legacy is what a VRRP role leaves to its successor: the state of its
// instances, in the words of package vrrp, and mail it did not come to send.
type legacy struct {
	VRRP json.RawMessage `json:"vrrp,omitempty"`
	Mail []mail.Message  `json:"mail,omitempty"`
}

// pack is the form that goes through the parent.
func (l legacy) pack() []byte {
	raw, err := json.Marshal(l)
	if err != nil {
		return nil // VRRP is no JSON: a successor starts afresh
	}
	return raw
}

// unpack reads what pack made; anything else is nothing.
func unpack(raw []byte) legacy {
	var l legacy
	if json.Unmarshal(raw, &l) != nil {
		return legacy{}
	}
	return l
}
