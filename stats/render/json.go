package render

import (
	"encoding/json"

	"herald/stats"
)

// The types below are HAProxy's JSON (`show schema json`), member by member.

type field struct {
	Pos  int    `json:"pos"`
	Name string `json:"name"`
}

type tags struct {
	Origin string `json:"origin"`
	Nature string `json:"nature"`
	Scope  string `json:"scope"`
}

type value struct {
	Type  stats.Kind `json:"type"`
	Value any        `json:"value"`
}

type statItem struct {
	ObjType    string `json:"objType"`
	ProxyID    int    `json:"proxyId"`
	ID         int    `json:"id"`
	Field      field  `json:"field"`
	ProcessNum int    `json:"processNum"`
	Tags       tags   `json:"tags"`
	Value      value  `json:"value"`
}

type infoItem struct {
	Field      field `json:"field"`
	ProcessNum int   `json:"processNum"`
	Tags       tags  `json:"tags"`
	Value      value `json:"value"`
}

var objTypes = [...]string{stats.FrontendRow: "Frontend", stats.BackendRow: "Backend", stats.ServerRow: "Server", stats.ListenerRow: "Listener"}

func wordsOf(t stats.Tags) tags {
	o, n, s := t.Words()
	return tags{o, n, s}
}

func valueOf(v stats.Value) value {
	if v.Kind == stats.Text {
		return value{v.Kind, v.Text}
	}
	return value{v.Kind, v.Number}
}

// AppendJSON appends `show stat json`: an array for every row with an object
// for every value.
func AppendJSON(b []byte, s *stats.Snapshot, f Filter) []byte {
	rows := [][]statItem{}
	f.each(s, func(r *stats.Row) {
		var items []statItem
		for i := range stats.Columns {
			c := &stats.Columns[i]
			if v := f.of(c, r); v.Present() {
				items = append(items, statItem{objTypes[r.Type], r.ProxyID, r.ID, field{i, c.Name}, 1, wordsOf(c.Tags), valueOf(v)})
			}
		}
		rows = append(rows, items)
	})
	return appendMarshal(b, rows)
}

// AppendInfoJSON appends `show info json`.
func AppendInfoJSON(b []byte, info *stats.Info) []byte {
	var items []infoItem
	for i := range stats.InfoColumns {
		c := &stats.InfoColumns[i]
		if v := c.Of(info); v.Present() {
			items = append(items, infoItem{field{i, c.Name}, 1, wordsOf(c.Tags), valueOf(v)})
		}
	}
	return appendMarshal(b, items)
}

func appendMarshal(b []byte, v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	return append(append(b, text...), '\n')
}

// Schema is the JSON schema of AppendJSON and AppendInfoJSON.
const Schema = `{"$schema":"http://json-schema.org/draft-04/schema#",` +
	`"oneOf":[{"title":"Info","type":"array","items":{"$ref":"#/definitions/info"}},` +
	`{"title":"Stat","type":"array","items":{"type":"array","items":{"$ref":"#/definitions/stat"}}},` +
	`{"title":"Error","type":"object","properties":{"errorStr":{"type":"string"}},"required":["errorStr"]}],` +
	`"definitions":{` +
	`"field":{"type":"object","properties":{"pos":{"type":"integer","minimum":0},"name":{"type":"string"}},"required":["pos","name"]},` +
	`"tags":{"type":"object","properties":{` +
	`"origin":{"enum":["Metric","Status","Key","Config","Product","Unknown"]},` +
	`"nature":{"enum":["Gauge","Limit","Min","Max","Rate","Counter","Duration","Age","Time","Name","Output","Avg","Unknown"]},` +
	`"scope":{"enum":["Cluster","Process","Service","System","Unknown"]}},"required":["origin","nature","scope"]},` +
	`"value":{"oneOf":[{"type":"object","properties":{"type":{"enum":["s32","s64","u32","u64"]},"value":{"type":"integer"}},"required":["type","value"]},` +
	`{"type":"object","properties":{"type":{"enum":["str"]},"value":{"type":"string"}},"required":["type","value"]}]},` +
	`"info":{"type":"object","properties":{"field":{"$ref":"#/definitions/field"},"processNum":{"type":"integer","minimum":1},` +
	`"tags":{"$ref":"#/definitions/tags"},"value":{"$ref":"#/definitions/value"}},"required":["field","processNum","tags","value"]},` +
	`"stat":{"type":"object","properties":{"objType":{"enum":["Frontend","Backend","Listener","Server","Unknown"]},` +
	`"proxyId":{"type":"integer","minimum":0},"id":{"type":"integer","minimum":0},"field":{"$ref":"#/definitions/field"},` +
	`"processNum":{"type":"integer","minimum":1},"tags":{"$ref":"#/definitions/tags"},"value":{"$ref":"#/definitions/value"}},` +
	`"required":["objType","proxyId","id","field","processNum","tags","value"]}}}` + "\n"
