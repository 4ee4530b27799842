package expr

import (
	"slices"
	"strings"

	"herald/config"
)

// Converters change the value of a fetch: path,lower (Configuration manual
// 7.3.1).
var Converters = func() *config.Registry[Change] {
	rows := slices.Concat(textRows, numberRows, digestRows, dateRows, mapRows)
	slices.SortFunc(rows, func(a, b config.Row[Change]) int { return strings.Compare(a.Name, b.Name) })
	return config.NewRegistry(rows...)
}()

// unbuilt are converters of HAProxy 2.6 that are not here: those of variables,
// stick tables and captures, and of protocols nobody has asked for.
var unbuilt = []string{
	"aes_gcm_dec", "capture-req", "capture-res", "debug", "fix_is_valid", "fix_tag_value", "in_table", "json_query", "jwt_header_query",
	"jwt_payload_query", "jwt_verify", "mqtt_field_value", "mqtt_is_valid", "protobuf", "secure_memcmp", "set-var", "strcmp",
	"table_bytes_in_rate", "table_bytes_out_rate", "table_conn_cnt", "table_conn_cur", "table_conn_rate", "table_expire", "table_gpc", "table_gpc0",
	"table_gpc0_rate", "table_gpc1", "table_gpc1_rate", "table_gpc_rate", "table_gpt", "table_gpt0", "table_http_err_cnt", "table_http_err_rate",
	"table_http_fail_cnt", "table_http_fail_rate", "table_http_req_cnt", "table_http_req_rate", "table_idle", "table_kbytes_in", "table_kbytes_out",
	"table_server_id", "table_sess_cnt", "table_sess_rate", "table_trackers", "ungrpc", "unset-var",
}

func change(name, doc, example string, c Change) config.Row[Change] {
	return config.Row[Change]{Name: name, Doc: doc, Syntax: c.Args.syntax(), Example: example, Do: c}
}

// always is a converter without arguments.
func always(do Convert) func(*Arguments) (Convert, error) {
	return func(*Arguments) (Convert, error) { return do, nil }
}

// edit is a converter of a text that writes another.
func edit(do func(to, b []byte) []byte) func(*Arguments) (Convert, error) {
	return always(func(in *Input, v *Value) Outcome {
		return v.bytes(Str, in.keep(do(in.room(), v.Str)))
	})
}
