package render

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"herald/stats"
)

var admin = Page{URI: "/stats", Realm: `HAProxy "Statistics"`, Users: []User{{"x", "y"}, {"admin", "openstack"}}, Refresh: 5 * time.Second, Legends: true, Admin: true, Node: "n1"}

func basic(pair string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair)) }

func snapshot() stats.Snapshot { return *sample() }

func get(p Page, uri string) Response {
	return Respond(p, Request{Method: "GET", URI: uri, Authorization: basic("admin:openstack")}, snapshot, nil)
}

func (r Response) field(name string) string {
	for _, f := range r.Header {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

func TestOnlyTheRightPasswordIsAuthorized(t *testing.T) {
	for header, want := range map[string]bool{
		basic("admin:openstack"):                   true,
		strings.Replace(basic("x:y"), "B", "b", 1): true,
		"":                           false,
		"Basic":                      false,
		"Basic ":                     false,
		"Basic !!!":                  false,
		basic("admin:openstac"):      false,
		basic("admin:openstackk"):    false,
		basic("admin"):               false,
		basic(":"):                   false,
		basic("x:openstack"):         false,
		"Bearer " + basic("x:y")[6:]: false,
	} {
		if got := Authorized(header, admin.Users); got != want {
			t.Errorf("%q: want %v", header, want)
		}
	}
	if Authorized(basic(":"), nil) {
		t.Error("authorized although there is no user")
	}
}

func TestWithoutThePasswordTheAnswerIs401AndNothingElse(t *testing.T) {
	r := Respond(admin, Request{Method: "GET", URI: "/stats;csv"}, func() stats.Snapshot { t.Error("looked"); return stats.Snapshot{} }, nil)
	if r.Status != 401 || r.field("www-authenticate") != `Basic realm="HAProxy \"Statistics\""` || bytes.Contains(r.Body, []byte("FRONTEND")) {
		t.Errorf("got %d, %q, %s", r.Status, r.field("www-authenticate"), r.Body)
	}
	open := admin
	open.Users = nil
	if r := Respond(open, Request{Method: "GET", URI: "/stats"}, snapshot, nil); r.Status != 200 {
		t.Errorf("without users: want 200, got %d", r.Status)
	}
}

func TestEveryAnswerCarriesTheSecurityHeaders(t *testing.T) {
	for _, uri := range []string{"/stats", "/stats;csv", "/stats;json", "/stats;json-schema"} {
		r := get(admin, uri)
		if r.Status != 200 || r.field("cache-control") != "no-cache" || r.field("x-content-type-options") != "nosniff" || r.field("x-frame-options") != "DENY" {
			t.Errorf("%s: %d %v", uri, r.Status, r.Header)
		}
	}
	sum := sha256.Sum256([]byte(style))
	r := get(admin, "/stats")
	if want := "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(r.field("content-security-policy"), want) {
		t.Errorf("want %s in %s", want, r.field("content-security-policy"))
	}
	if !bytes.Contains(r.Body, []byte("<style>"+style+"</style>")) {
		t.Error("the style sheet on the page is not the one in the policy")
	}
	if bytes.Contains(r.Body, []byte("style=")) || bytes.Contains(r.Body, []byte("<script")) || bytes.Contains(r.Body, []byte(" on"+"click")) {
		t.Error("the page has what its policy forbids")
	}
}

func TestTheOptionsOfTheURIChooseTheForm(t *testing.T) {
	if r := get(admin, "/stats;csv;norefresh"); r.field("content-type") != "text/plain" || !bytes.HasPrefix(r.Body, []byte("# pxname,")) {
		t.Errorf("csv: %v %.20s", r.Header, r.Body)
	}
	if r := get(admin, "/stats;json"); r.field("content-type") != "application/json" || !bytes.HasPrefix(r.Body, []byte("[[{")) {
		t.Errorf("json: %v %.20s", r.Header, r.Body)
	}
	if r := get(admin, "/stats"); r.field("refresh") != "5" || !bytes.Contains(r.Body, []byte(">Disable refresh<")) {
		t.Errorf("refresh: %v", r.Header)
	}
	if r := get(admin, "/stats;norefresh"); r.field("refresh") != "" || !bytes.Contains(r.Body, []byte(">Enable refresh<")) {
		t.Errorf("norefresh: %v", r.Header)
	}
	if r := get(admin, "/stats;csv"); r.field("refresh") != "" {
		t.Error("the CSV refreshes")
	}
	if r := get(admin, "/stats;up"); bytes.Contains(r.Body, []byte(`id="be/s2"`)) || !bytes.Contains(r.Body, []byte(`id="be/s1"`)) {
		t.Error(";up does not hide the servers that are down")
	}
	if r := get(admin, "/stats;no-maint"); bytes.Contains(r.Body, []byte(`id="be/s4"`)) {
		t.Error(";no-maint does not hide the servers in maintenance")
	}
	if r := get(admin, "/stats;up?scope=tcp"); bytes.Contains(r.Body, []byte(`id="be"`)) || !bytes.Contains(r.Body, []byte(`href="/stats;csv;norefresh?scope=tcp"`)) &&
		!bytes.Contains(r.Body, []byte(`href="/stats;up;csv;norefresh?scope=tcp"`)) {
		t.Error("the scope is not kept")
	}
	short := admin
	short.Scope = []string{"fe"}
	if r := get(short, "/stats;csv"); bytes.Contains(r.Body, []byte("be,s1")) {
		t.Error("stats scope is not kept")
	}
	plain := admin
	plain.Legends = false
	if r := get(plain, "/stats;csv"); bytes.Contains(r.Body, []byte("127.0.0.1")) || bytes.Contains(r.Body, []byte("roundrobin")) {
		t.Error("addresses or algorithms are shown without legends")
	}
	if r := Respond(admin, Request{Method: "PUT", URI: "/stats", Authorization: basic("x:y")}, snapshot, nil); r.Status != 405 {
		t.Errorf("PUT: want 405, got %d", r.Status)
	}
}

func TestThePageShowsWhatHAProxysUsersLookFor(t *testing.T) {
	body := string(get(admin, "/stats;st=DONE").Body)
	for _, want := range []string{
		"<h2>Statistics Report for pid 42 on n1</h2>", "<b>uptime = </b> 0d 0h01m15s", "bit rate = 1.000 Mbps", "idle = 97 %",
		`<tr class="active_up"><td class=ac><a id="vrrp/1"></a>1</td><td class=ac>eth0</td>`, "10.1.1.20 (102)", "master down timer expired", "10.1.1.10/32 dev eth0",
		"1m5s", "INIT -&gt; BACKUP", "TTL 1 from 10.1.1.66",
		`<a id="be/s1"></a>`, "<u> L4CON in 0ms<div class=tips>Layer4 connection problem: Connection refused</div></u>", "3s MAINT", `<tr class="maintain">`, `<tr class="backup_down">`,
		"IPv4: 127.0.0.1:9005, id: 5, cookie: &#39;abc&#39;", "balancing: roundrobin", "cap: proxy, mode: tcp, id: 6", `<span class="rls">4</span>000`,
		`<input type="checkbox" name="s" value="s1">`, `<input type="hidden" name="b" value="#5">`, `<option value="drain">Set state to DRAIN</option>`,
		"The change has been made.", `id="fe/+sock-1"`, "- HTTP 2xx responses:", "(100%)",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("want %s", want)
		}
	}
	hidden := Page{URI: "/stats", HideVersion: true}
	if body := string(get(hidden, "/stats").Body); strings.Contains(body, "0.1.0") || strings.Contains(body, "checkbox") {
		t.Error("a plain page shows the version or the admin form")
	}
}

func TestEveryRowHasAsManyCellsAsTheHeadings(t *testing.T) {
	for _, p := range []Page{admin, {URI: "/stats"}} {
		root, err := html.Parse(bytes.NewReader(get(p, "/stats").Body))
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		var walk func(n *html.Node)
		walk = func(n *html.Node) {
			if n.Data == "tr" && slices.Contains([]string{"frontend", "backend", "socket", "active_up", "active_down", "maintain", "backup_down"}, attr(n, "class")) {
				cells := 0
				for c := n.FirstChild; c != nil; c = c.NextSibling {
					switch attr(c, "colspan") {
					case "":
						cells++
					case "3":
						cells += 3
					case "8":
						cells += 8
					default:
						t.Errorf("colspan %s", attr(c, "colspan"))
					}
				}
				want := 31 // the name and the headings' 30
				if n.FirstChild != nil && p.Admin && n.FirstChild.FirstChild != nil && n.FirstChild.FirstChild.Data == "input" {
					want++
				}
				if vrrp := cells == 12; !vrrp && cells != want && !(p.Admin && cells == want+1) {
					t.Errorf("row of class %s: %d cells, want %d", attr(n, "class"), cells, want)
				}
				rows++
			}
			for c := n.FirstChild; c != nil; c = c.NextSibling {
				walk(c)
			}
		}
		walk(root)
		if rows < 11 {
			t.Errorf("only %d rows", rows)
		}
	}
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// post sends the admin form and answers where it leads and what it asked for.
func post(p Page, r Request, apply func(Change) bool) (string, []Change) {
	var asked []Change
	r.Method, r.URI, r.Authorization = "POST", "/stats", basic("x:y")
	resp := Respond(p, r, snapshot, func(c Change) bool { asked = append(asked, c); return apply(c) })
	if resp.Status != 303 {
		return "no redirection", asked
	}
	return resp.field("location"), asked
}

func TestTheFormChangesServers(t *testing.T) {
	yes := func(Change) bool { return true }
	for body, row := range map[string]struct {
		apply func(Change) bool
		want  string
		asked []Change
	}{
		"s=s1&s=s2&action=drain&b=%235": {yes, "DONE", []Change{{"be", "s1", "drain"}, {"be", "s2", "drain"}}},
		"s=s1&action=ready&b=#5":        {yes, "DONE", []Change{{"be", "s1", "ready"}}},
		"s=s1&action=ready&b=be\r\n":    {yes, "DONE", []Change{{"be", "s1", "ready"}}},
		"s=s1&s=zz&action=maint&b=be":   {func(c Change) bool { return c.Server == "s1" }, "PART", []Change{{"be", "s1", "maint"}, {"be", "zz", "maint"}}},
		"s=zz&action=maint&b=be":        {func(Change) bool { return false }, "NONE", []Change{{"be", "zz", "maint"}}},
		"s=s1&action=&b=be":             {yes, "NONE", nil},
		"action=ready&b=be":             {yes, "NONE", nil},
		"s=s1&action=ready&b=nope":      {yes, "NONE", nil},
		"s=s1&action=ready&b=fe":        {yes, "NONE", nil},
		"s=s1&action=bogus&b=be":        {yes, "ERRP", nil},
		"s=%zz":                         {yes, "ERRP", nil},
	} {
		got, asked := post(admin, Request{Body: []byte(body)}, row.apply)
		if got != "/stats;st="+row.want || !reflect.DeepEqual(asked, row.asked) {
			t.Errorf("%q: want %s %v, got %s %v", body, row.want, row.asked, got, asked)
		}
	}
	scoped := admin
	scoped.Scope = []string{"fe"}
	if got, asked := post(scoped, Request{Body: []byte("s=s1&action=ready&b=be")}, yes); got != "/stats;st=NONE" || asked != nil {
		t.Errorf("a backend the page does not show: %s %v", got, asked)
	}
}

func TestAFormFromElsewhereOrOnAReadOnlyPageIsDenied(t *testing.T) {
	for name, row := range map[string]struct {
		r    Request
		want string
	}{
		"a script":             {Request{Host: "a"}, "DONE"},
		"the page itself":      {Request{Host: "a:80", Origin: "http://a:80", SecFetchSite: "same-origin"}, "DONE"},
		"origin alone":         {Request{Host: "a:80", Origin: "http://A:80"}, "DONE"},
		"another site":         {Request{Host: "a", Origin: "http://a", SecFetchSite: "cross-site"}, "DENY"},
		"a sibling":            {Request{Host: "a", SecFetchSite: "same-site"}, "DENY"},
		"another origin":       {Request{Host: "a", Origin: "http://b"}, "DENY"},
		"a sandboxed document": {Request{Host: "a", Origin: "null"}, "DENY"},
		"no host":              {Request{Origin: "http://"}, "DENY"},
	} {
		row.r.Body = []byte("s=s1&action=ready&b=be")
		got, asked := post(admin, row.r, func(Change) bool { return true })
		if got != "/stats;st="+row.want || (len(asked) > 0) != (row.want == "DONE") {
			t.Errorf("%s: want %s, got %s %v", name, row.want, got, asked)
		}
	}
	readOnly := admin
	readOnly.Admin = false
	if got, asked := post(readOnly, Request{Body: []byte("s=s1&action=ready&b=be")}, func(Change) bool { return true }); got != "/stats;st=DENY" || asked != nil {
		t.Errorf("read-only: %s %v", got, asked)
	}
}

// hostile puts a text wherever an outsider or the configuration can put one.
func hostile(text string) *stats.Snapshot {
	s := sample()
	for i := range s.Proxies {
		s.Proxies[i].Name += text
		for j := range s.Proxies[i].Rows {
			r := &s.Proxies[i].Rows[j]
			r.Proxy, r.Status, r.LastCheck, r.CheckStatus, r.CheckDesc, r.Cookie, r.Addr, r.Algo, r.Mode = s.Proxies[i].Name, text, text, text, text, text, text, text, text
			if r.Type == stats.ServerRow || r.Type == stats.ListenerRow {
				r.Name += text
			}
		}
	}
	s.Info.Version, s.Info.ReleaseDate, s.Info.Node = text, text, text
	v := &s.Instances[0]
	v.Name, v.Interface, v.State, v.Why, v.Master, v.Addresses = text, text, text, text, text, []string{text}
	v.History[0].Why, v.History[0].From, v.Counters.LastRejected = text, text, text
	return s
}

// elements counts the elements and attributes of a page.
func elements(t *testing.T, body []byte) map[string]int {
	seen := map[string]int{}
	z := html.NewTokenizer(bytes.NewReader(body))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if z.Err() != io.EOF {
				t.Fatal(z.Err())
			}
			return seen
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			key := append(make([]byte, 0, 64), name...)
			seen[string(key)]++
			for key = append(key, ' '); more; {
				var attribute []byte
				attribute, _, more = z.TagAttr()
				seen[string(append(key, attribute...))]++
			}
		}
	}
}

func hostilePage(text string) []byte {
	p := admin
	p.Users, p.Node, p.Desc, p.URI = nil, text, text, "/stats"
	return Respond(p, Request{Method: "GET", URI: "/stats;st=" + text}, func() stats.Snapshot { return *hostile(text) }, nil).Body
}

// harmless is what of a page a text may not change.
var harmless = sync.OnceValue(func() map[string]int { return elements(nil, hostilePage("x")) })

func checkEscaping(t *testing.T, text string) {
	t.Helper()
	if want, got := harmless(), elements(t, hostilePage(text)); !reflect.DeepEqual(want, got) {
		t.Errorf("%q changes the elements of the page: %v, %v", text, want, got)
	}
}

func TestHostileNamesStayText(t *testing.T) {
	for _, text := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'><b>`, `--><b>`, `</style><b>`, `</textarea><b>`, "&lt;b&gt;", "a\x00<b>", "<b", "`<b>`", "\u2028<b>", "\xff<b>",
	} {
		checkEscaping(t, text)
	}
}

func TestAHostileScopeStaysText(t *testing.T) {
	body := get(admin, "/stats?scope=%22%3E%3Cb%3E").Body
	if bytes.Contains(body, []byte("<b>\"")) || !bytes.Contains(body, []byte(`value="&#34;&gt;&lt;b&gt;"`)) {
		t.Errorf("the scope's field is not escaped")
	}
	if v := parseView("?scope=" + strings.Repeat("x", 21)); v.scope != "" {
		t.Errorf("a scope longer than its field is used: %q", v.scope)
	}
}

func FuzzNamesStayText(f *testing.F) {
	f.Add("<b>")
	f.Add("\"' onload=x")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 100 {
			return // it stands in a hundred places: a longer one only takes longer
		}
		if text == "" || text == "no check" || strings.ContainsAny(text, "?;&") || outcomes[text] != "" {
			return // an empty text leaves out its line; the others mean something
		}
		checkEscaping(t, text)
	})
}

func TestNumbersAndSpansAreWrittenAsOnHAProxysPage(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 999: "999", 4000: `<span class="rls">4</span>000`, 1234567: `<span class="rls">1</span>23<span class="rls">4</span>567`} {
		d := &doc{}
		if d.grouped(n); string(d.b) != want {
			t.Errorf("%d: want %s, got %s", n, want, d.b)
		}
	}
	for n, want := range map[int64]string{-1: "?", 0: "0s", 59: "59s", 75: "1m15s", 3700: "1h1m", 90000: "1d1h"} {
		if got := span(n); got != want {
			t.Errorf("%d: want %s, got %s", n, want, got)
		}
	}
	for n, want := range map[uint64]string{0: "0.000 kbps", 125: "1.000 kbps", 125e6: "1.000 Gbps"} {
		if got := bitRate(n); got != want {
			t.Errorf("%d: want %s, got %s", n, want, got)
		}
	}
}

func TestColoursFollowTheStatus(t *testing.T) {
	for status, want := range map[string]string{"UP": "active_up", "UP 1/3": "active_going_down", "DOWN": "active_down", "DOWN 1/2": "active_going_up", "NOLB": "active_nolb",
		"NOLB 1/3": "active_nolb", "DRAIN": "active_draining", "MAINT": "maintain", "MAINT (via b/s)": "maintain", "no check": "active_no_check", "DOWN (agent)": "active_down"} {
		if got := serverClass(&stats.Row{Status: status}); got != want {
			t.Errorf("%s: want %s, got %s", status, want, got)
		}
	}
	for state, want := range map[string]string{"MASTER": "active_up", "BACKUP": "backup_up", "FAULT": "active_down", "INIT": "active_no_check"} {
		if got := instanceClass(state); got != want {
			t.Errorf("%s: want %s, got %s", state, want, got)
		}
	}
}

func TestThePageIsChosenByThePrefixOfTheURI(t *testing.T) {
	p := Page{URI: "/stats"}
	for uri, want := range map[string]bool{"/stats": true, "/stats;csv": true, "/stats?x": true, "/stat": false, "": false} {
		if p.Matches(uri) != want {
			t.Errorf("%q: want %v", uri, want)
		}
	}
}

func TestThePageSpeaksPrometheus(t *testing.T) {
	r := Respond(Page{URI: "/stats"}, Request{Method: "GET", URI: "/stats;metrics"}, func() stats.Snapshot { return *sample() }, nil)
	if r.Status != 200 || r.field("content-type") != "text/plain; version=0.0.4" || !bytes.Contains(r.Body, []byte("\nkeepalived_vrrp_state{")) || !bytes.Contains(r.Body, []byte("\nhaproxy_frontend_status{")) {
		t.Errorf("got %d %s\n%s", r.Status, r.field("content-type"), r.Body)
	}
}
