package render

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"herald/stats"
)

// view is what the URI asks of the page.
type view struct {
	form      string // "", "csv", "json", "json-schema" or "metrics"
	filter    Filter
	noRefresh bool
	outcome   string // of the change just made: "DONE"
	scope     string
}

// maxScope is how much of the scope is used, the size of its field.
const maxScope = 20

// parseView reads what stands after the page's URI: options that begin with a
// semicolon, then "?scope=" or "&scope=".
func parseView(rest string) view {
	var v view
	options := rest
	if i := strings.IndexAny(rest, "?&"); i >= 0 {
		options = rest[:i]
		for pair := range strings.SplitSeq(rest[i+1:], "&") {
			if raw, ok := strings.CutPrefix(pair, "scope="); ok {
				if text, err := url.QueryUnescape(raw); err == nil && len(text) <= maxScope {
					v.scope = text
				}
			}
		}
	}
	for option := range strings.SplitSeq(options, ";") {
		name, value, _ := strings.Cut(option, "=")
		switch name {
		case "csv", "json", "json-schema", "metrics":
			v.form = name
		case "up":
			v.filter.UpOnly = true
		case "no-maint":
			v.filter.NoMaint = true
		case "norefresh":
			v.noRefresh = true
		case "st":
			v.outcome = value
		}
	}
	v.filter.Scope = v.scope
	return v
}

func respond(p Page, r Request, snapshot func() stats.Snapshot, apply Apply) Response {
	if p.Refused || len(p.Users) > 0 && !Authorized(r.Authorization, p.Users) {
		return unauthorized(p.Realm, r.Proxy)
	}
	switch r.Method {
	case "GET", "HEAD":
	case "POST":
		return change(p, r, snapshot, apply)
	default:
		return Response{Status: 405, Header: append(common("text/plain"), Field{"allow", "GET, HEAD, POST"})}
	}
	v := parseView(strings.TrimPrefix(r.URI, p.URI))
	v.filter.Only, v.filter.NoLegend = p.Scope, !p.Legends
	if v.form == "json-schema" {
		return Response{Status: 200, Header: common("application/json"), Body: []byte(Schema)}
	}
	s := snapshot()
	switch v.form {
	case "csv":
		return Response{Status: 200, Header: common("text/plain"), Body: AppendCSV(nil, &s, v.filter)}
	case "metrics":
		return Response{Status: 200, Header: common("text/plain; version=0.0.4"), Body: AppendMetrics(nil, &s)}
	case "json":
		return Response{Status: 200, Header: common("application/json"), Body: AppendJSON(nil, &s, v.filter)}
	}
	header := append(common("text/html; charset=utf-8"), Field{"content-security-policy", policy})
	if p.Refresh >= time.Second && !v.noRefresh {
		header = append(header, Field{"refresh", strconv.FormatInt(int64(p.Refresh/time.Second), 10)})
	}
	return Response{Status: 200, Header: header, Body: appendHTML(nil, &p, &v, &s)}
}

// common are the fields of every answer: nothing is kept, framed or guessed.
func common(contentType string) []Field {
	return []Field{
		{"cache-control", "no-cache"},
		{"content-type", contentType},
		{"x-content-type-options", "nosniff"},
		{"x-frame-options", "DENY"},
		{"referrer-policy", "no-referrer"},
	}
}

func unauthorized(realm string, proxy bool) Response {
	status, field := 401, "www-authenticate"
	if proxy {
		status, field = 407, "proxy-authenticate"
	}
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(oneLine(realm))
	return Response{
		Status: status,
		Header: append(common("text/html"), Field{field, `Basic realm="` + quoted + `"`}),
		Body:   []byte("<html><body><h1>" + strconv.Itoa(status) + " Unauthorized</h1>\nYou need a valid user and password to access this content.\n</body></html>\n"),
	}
}

// Outcomes of a POST, shown by the page that follows it.
const (
	allDone   = "DONE"
	someDone  = "PART"
	noneDone  = "NONE"
	notParsed = "ERRP"
	denied    = "DENY"
)

var outcomes = map[string]string{
	allDone:   "The change has been made.",
	someDone:  "The change has been made in part: some of the servers are unknown or refused it.",
	noneDone:  "Nothing has changed.",
	notParsed: "The form could not be read.",
	denied:    "Changes are not allowed here.",
}

// actions are the verbs of the admin form and what the form calls them.
var actions = [...]struct{ verb, label string }{
	{"ready", "Set state to READY"},
	{"drain", "Set state to DRAIN"},
	{"maint", "Set state to MAINT"},
	{"dhlth", "Health: disable checks"},
	{"ehlth", "Health: enable checks"},
	{"hrunn", "Health: force UP"},
	{"hnolb", "Health: force NOLB"},
	{"hdown", "Health: force DOWN"},
	{"dagent", "Agent: disable checks"},
	{"eagent", "Agent: enable checks"},
	{"arunn", "Agent: force UP"},
	{"adown", "Agent: force DOWN"},
	{"shutdown", "Kill Sessions"},
}

// change carries out the admin form and sends the browser back to the page.
func change(p Page, r Request, snapshot func() stats.Snapshot, apply Apply) Response {
	outcome := denied
	if p.Admin && apply != nil && r.SameOrigin() {
		outcome = perform(p, r.Body, snapshot, apply)
	}
	header := append(common("text/plain"), Field{"location", p.URI + ";st=" + outcome})
	return Response{Status: 303, Header: header}
}

func perform(p Page, body []byte, snapshot func() stats.Snapshot, apply Apply) string {
	form, err := parseForm(string(body))
	if err != nil {
		return notParsed
	}
	action := form.Get("action")
	known := slices.ContainsFunc(actions[:], func(a struct{ verb, label string }) bool { return a.verb == action })
	if !known && action != "" {
		return notParsed
	}
	backend := backendNamed(p, form.Get("b"), snapshot)
	servers := form["s"]
	if action == "" || backend == "" || len(servers) == 0 {
		return noneDone
	}
	n := 0
	for _, server := range servers {
		if apply(Change{Backend: backend, Server: server, Action: action}) {
			n++
		}
	}
	switch n {
	case 0:
		return noneDone
	case len(servers):
		return allDone
	}
	return someDone
}

// parseForm is url.ParseQuery that takes "b=#5" as scripts send it.
func parseForm(body string) (url.Values, error) { return url.ParseQuery(strings.TrimSpace(body)) }

// backendNamed answers the backend that "#5" or "be" means, as long as the
// page shows it.
func backendNamed(p Page, b string, snapshot func() stats.Snapshot) string {
	s := snapshot()
	shown := Filter{Only: p.Scope}
	for i := range s.Proxies {
		px := &s.Proxies[i]
		if px.BackendCap && shown.proxy(px) && (b == px.Name || b == "#"+strconv.Itoa(px.ID)) {
			return px.Name
		}
	}
	return ""
}
