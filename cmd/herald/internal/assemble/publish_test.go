package assemble

import (
	"encoding/json"
	"testing"
	"time"

	"herald/cmd/herald/internal/ipc"
	"herald/stats"
	"herald/vrrp/settings"
)

func TestThePageGetsCountersWithoutHistories(t *testing.T) {
	_, role, parent := told(t, &settings.Config{})
	list := []stats.Instance{{Name: "VI_1", State: "MASTER", Counters: stats.VRRPCounters{AdvertiseSent: 7},
		History: []stats.Transition{{At: time.Unix(1, 0), To: "MASTER"}}, Peers: []stats.Peer{{Address: "10.1.1.21"}}}}
	publish(role, list)
	r, err := parent.Receive()
	if err != nil {
		t.Fatal(err)
	}
	var got []stats.Instance
	report, is := r.(ipc.InstancesReport)
	if !is || json.Unmarshal(report, &got) != nil || len(got) != 1 {
		t.Fatalf("told %T %s", r, report)
	}
	if got[0].Counters.AdvertiseSent != 7 || got[0].History != nil || got[0].Peers != nil {
		t.Errorf("published %+v", got[0])
	}
	if len(list[0].History) != 1 || len(list[0].Peers) != 1 {
		t.Error("what the caller keeps was changed")
	}
}
