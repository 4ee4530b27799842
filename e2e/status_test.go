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

// instances asks herald on a node for its VRRP instances, by name. The record
// is found wherever the document keeps it.
func instances(t *testing.T, n *lab.Node) map[string]instance {
	t.Helper()
	out, err := herald(n, "status", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatalf("status of %s: %v in %s", n.Name(), err, out)
	}
	found := map[string]instance{}
	collect(t, doc, found)
	if len(found) == 0 {
		t.Fatalf("no VRRP instance in the status of %s: %s", n.Name(), out)
	}
	return found
}

func collect(t *testing.T, v any, found map[string]instance) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			collect(t, e, found)
		}
	case map[string]any:
		if v["vrid"] != nil && v["counters"] != nil {
			raw, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			var in instance
			if err := json.Unmarshal(raw, &in); err != nil {
				t.Fatal(err)
			}
			found[in.Name] = in
			return
		}
		for _, e := range v {
			collect(t, e, found)
		}
	}
}
