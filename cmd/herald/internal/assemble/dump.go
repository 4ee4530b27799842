package assemble

import (
	"encoding/json"

	"herald/vrrp"
	"herald/vrrp/dump"
	"herald/vrrp/settings"
)

// answer is the VRRP role's part of the status, or a file of keepalived's as
// a JSON string.
func answer(server *vrrp.Server, cfg *settings.Config, file string) (json.RawMessage, error) {
	if file == "" {
		return json.Marshal(server.Status())
	}
	w := dump.World{Config: cfg, Instances: server.Status()}
	for _, s := range server.Scripts() {
		w.Scripts = append(w.Scripts, dump.Script(s))
	}
	var text []byte
	var err error
	switch file {
	case "data":
		text = w.Data()
	case "json":
		text, err = w.JSON()
	default:
		text = w.Stats()
		if file == "stats_clear" {
			server.ClearCounters()
		}
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(string(text))
}
