package e2e_test

import (
	"encoding/json"
	"testing"

	"herald/e2e/lab"
	"herald/stats"
)

// instance is one VRRP instance as `herald status --json` shows it.
type instance struct{ stats.Instance }

// rejected are the counters of packets refused.
func (in instance) rejected() map[string]uint64 {
	c := in.Counters
	return map[string]uint64{
		"interval": c.AdvertiseIntervalErrors, "ttl": c.IPTTLErrors, "type": c.InvalidTypePktsRcvd,
		"addresses": c.AddressListErrors, "auth type": c.InvalidAuthType, "auth mismatch": c.AuthTypeMismatch,
		"auth": c.AuthFailures, "length": c.PacketLengthErrors, "checksum": c.ChecksumErrors,
		"version": c.VersionErrors, "vrid": c.VRIDErrors,
	}
}

// instances asks herald on a node for its VRRP instances, by name.
func instances(t *testing.T, n *lab.Node) map[string]instance {
	t.Helper()
	out, err := herald(n, "status", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		VRRP []instance `json:"vrrp"`
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatalf("status of %s: %v in %s", n.Name(), err, out)
	}
	found := map[string]instance{}
	for _, in := range doc.VRRP {
		found[in.Name] = in
	}
	if len(found) == 0 {
		t.Fatalf("no VRRP instance in the status of %s: %s", n.Name(), out)
	}
	return found
}
