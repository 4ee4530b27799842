package directive

import (
	"strings"

	"herald/config"
	"herald/config/block"
	"herald/vrrp/settings"
)

// auth is an authentication block as written.
type auth struct {
	kind string // auth_type
	pass string
	set  bool // a password was given
}

type authKeyword = keyword[auth]

var authWords = config.NewRegistry(
	row[auth]{Name: "auth_type", Syntax: "PASS|AH", Doc: "PASS is a clear-text password; AH signs every advertisement (HMAC-MD5, RFC 2403).", Example: "auth_type PASS",
		Do: authKeyword{act: func(_ *build, a *auth, st block.Statement) { a.kind = st.Arg(1) }}},
	row[auth]{Name: "auth_pass", Syntax: "PASSWORD", Doc: "The password, the same on all nodes; eight bytes count.", Example: "auth_pass secret",
		Do: authKeyword{act: password}},
)

// maxPassword is the length of the authentication data of version 2 (RFC 2338
// section 5.3.10).
const maxPassword = 8

// password reads auth_pass. No finding shows the password itself.
func password(b *build, a *auth, st block.Statement) {
	w := st.Words[1]
	pass := w.Text
	if w.Quote == '\'' { // not a quote for keepalived here: a peer sends it
		pass, _, _ = strings.Cut("'"+pass+"'", " ")
		b.diags.Warnf(w.Pos, "auth_pass", "auth_pass: single quotes are part of the password, as in keepalived; use double quotes to leave them out")
	}
	if len(pass) > maxPassword {
		b.diags.Warnf(w.Pos, "auth_pass", "auth_pass is longer than %d bytes; the rest does not count", maxPassword)
		pass = pass[:maxPassword]
	}
	a.pass, a.set = pass, pass != ""
}

// authenticate decides the authentication of an instance.
func (b *build) authenticate(d *draft) {
	switch a := d.auth; {
	case a != (auth{}) && (d.Version == 3 || d.IPv6):
		b.diags.Warnf(d.pos.auth, "authentication", "vrrp_instance %s: authentication is of version 2 over IPv4 only and is ignored", d.Name)
	case a.kind != "" && a.kind != "PASS" && a.kind != "AH":
		b.diags.Warnf(d.pos.auth, a.kind, "vrrp_instance %s: auth_type %q is not PASS or AH; none is taken", d.Name, a.kind)
	case a.kind != "" && !a.set:
		b.diags.Warnf(d.pos.auth, "auth_type", "vrrp_instance %s: authentication without auth_pass; none is taken", d.Name)
	case a.kind == "" && a.set:
		b.diags.Warnf(d.pos.auth, "auth_pass", "vrrp_instance %s: auth_pass without auth_type PASS; no authentication is taken", d.Name)
	case a.kind == "PASS":
		d.Auth = settings.Auth{Type: settings.AuthPass, Pass: a.pass}
	case a.kind == "AH":
		d.Auth = settings.Auth{Type: settings.AuthAH, Pass: a.pass}
	}
}
