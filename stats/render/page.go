// Package render writes statistics: the CSV, JSON and typed forms of HAProxy's
// `show stat` and `show info`, its statistics page with the VRRP instances on
// top, the metrics, and the text of `herald status`.
//
// It knows columns, not statistics: every form walks stats.Columns or
// stats.InfoColumns. It speaks no HTTP: Respond turns a request's parts into
// the parts of a response.
//
//	resp := render.Respond(render.Page{URI: "/stats", Realm: "HAProxy Statistics",
//		Users: []render.User{{Name: "admin", Password: "secret"}}},
//		render.Request{Method: "GET", URI: "/stats;csv", Authorization: auth},
//		engine.Snapshot, nil)
//	send(resp.Status, resp.Header, resp.Body)
package render

import (
	"time"

	"herald/stats"
)

// Page is what the configuration says about one statistics page.
type Page struct {
	URI         string // prefix of the URIs it answers
	Realm       string // asked for with Users
	Users       []User // none: no password is needed
	Refresh     time.Duration
	HideVersion bool
	Node        string // shown when not empty
	Desc        string // shown when not empty
	Legends     bool
	Scope       []string // proxies shown; none: all
	Admin       bool     // POST may change servers
	Refused     bool     // a password is asked for, whatever was given
}

// User is one `stats auth`.
type User struct {
	Name, Password string
}

// Request is the part of an HTTP request the page depends on.
type Request struct {
	Method        string
	URI           string // as on the request line
	Authorization string // the header's value; empty means absent
	// Proxy says that the request is one to a proxy: Authorization is that of
	// proxy-authorization, and it is asked for by 407 (RFC 9110 section 11.7).
	Proxy bool
	// Host, Origin and SecFetchSite are header values: a POST from another
	// origin is refused.
	Host, Origin, SecFetchSite string
	ContentType                string
	Body                       []byte // of a POST
}

// Response is the page's answer.
type Response struct {
	Status int
	Header []Field // without Content-Length, which is that of Body
	Body   []byte  // to be left out of the answer to a HEAD
}

// Field is one header line.
type Field struct {
	Name, Value string
}

// Change is one server's change asked for by the page's admin form.
type Change struct {
	Backend, Server string
	Action          string // "ready", "drain", "maint", "dhlth", "ehlth", "hrunn", "hnolb", "hdown", "dagent", "eagent", "arunn", "adown", "shutdown"
}

// Apply carries out a Change; false means it was not possible.
type Apply func(Change) bool

// Matches reports whether uri, as on the request line, is the page's.
func (p Page) Matches(uri string) bool {
	return len(uri) >= len(p.URI) && uri[:len(p.URI)] == p.URI
}

// Respond answers one request for the page. Snapshot is called only for an
// authorized request; apply may be nil when the page is read-only.
func Respond(p Page, r Request, snapshot func() stats.Snapshot, apply Apply) Response {
	return respond(p, r, snapshot, apply)
}
