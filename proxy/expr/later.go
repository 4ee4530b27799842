package expr

import (
	"slices"
	"strings"
)

// laterFetch reports a fetch that HAProxy 2.6 has and that is not here: those
// of stick tables and variables, of users, of the cache and of
// compression, and what HAProxy's developers ask.
func laterFetch(name string) bool {
	for _, family := range []string{"sc_", "sc0_", "sc1_", "sc2_", "src_", "internal.", "cpu_", "lat_", "distcc_", "fcgi.", "http_auth", "last_rule_", "prio_",
		"res.cache_", "res.comp", "table_"} {
		if strings.HasPrefix(name, family) {
			return true
		}
	}
	return slices.Contains([]string{"bc_err", "bc_err_str", "capture.res.ver", "dst_is_local", "fc_dst_is_local",
		"fc_err", "fc_err_str", "fc_src_is_local", "res.body", "res.body_len", "res.body_size", "var"}, name)
}
