package directive

import (
	"cmp"
	"slices"
	"strings"

	"herald/config"
	"herald/proxy/settings"
)

// finish looks at everything together, after the last section.
func (b *builder) finish() {
	g := &b.cfg.Global
	if g.Node == "" {
		g.Node = b.opt.Hostname
	}
	g.MaxRewrite = min(g.MaxRewrite, g.BufSize/2)
	b.hostnameFormats()
	b.checkNames()
	b.number()
	for _, d := range b.proxies {
		b.finishProxy(d)
	}
	for _, d := range b.proxies {
		b.checkBackends(d)
		b.cfg.Proxies = append(b.cfg.Proxies, &d.p)
	}
	b.checkListeners()
	b.checkTracks()
	b.checkResolvers()
}

// hostnameFormats: log-send-hostname changes the default format to rfc3164,
// which is "local" with a host name in it.
func (b *builder) hostnameFormats() {
	if b.cfg.Global.LogSendHostname == "" {
		return
	}
	change := func(t *settings.LogTarget) {
		if t.Format == "local" {
			t.Format = "rfc3164"
		}
	}
	for i := range b.cfg.Global.Logs {
		change(&b.cfg.Global.Logs[i])
	}
	for _, d := range b.proxies {
		for i := range d.logs {
			change(&d.logs[i].target)
		}
	}
}

// checkNames: frontends need distinct names, and so do backends; one of each
// may share a name, a listen section is both.
func (b *builder) checkNames() {
	// Large sites have ten thousand backends: no loop within the loop.
	fronts, backs := map[string]*draft{}, map[string]*draft{}
	for _, d := range b.proxies {
		var other *draft
		if d.p.Backend {
			other = backs[d.p.Name]
		}
		if d.p.Frontend && other == nil {
			other = fronts[d.p.Name]
		}
		if other != nil {
			b.cross(d.p.Pos, config.Error, d.p.Name, "%s %q has the same name as the %s at %v", d.kind, d.p.Name, other.kind, other.p.Pos)
			continue
		}
		if d.p.Frontend {
			fronts[d.p.Name] = d
		}
		if d.p.Backend {
			backs[d.p.Name] = d
		}
	}
}

// number gives proxies and servers the numbers HAProxy 2.6 would. Its counter
// moves on at every proxy, also at one with an "id" of its own, and skips
// numbers that some "id" takes. The command line counts as the first proxy
// when there is a stats socket.
func (b *builder) number() {
	taken := map[int]string{}
	for _, d := range b.proxies {
		if !d.forcedID {
			continue
		}
		if other, dup := taken[d.p.ID]; dup {
			b.cross(d.p.Pos, config.Error, d.p.Name, "%s %q has the same id %d as %q", d.kind, d.p.Name, d.p.ID, other)
		}
		taken[d.p.ID] = d.p.Name
	}
	next := 1
	if len(b.cfg.Global.StatsSockets) > 0 {
		next++
	}
	for _, d := range b.proxies {
		if !d.forcedID {
			next = free(taken, next)
			d.p.ID = next
		}
		next++
		b.numberServers(d)
	}
}

func (b *builder) numberServers(d *draft) {
	ids, positions := map[int]string{}, map[string]config.Pos{}
	for _, s := range d.p.Servers {
		if at, dup := positions[s.Name]; dup {
			b.cross(s.Pos, config.Error, s.Name, "%s %q has another server %q at %v, use distinct names", d.kind, d.p.Name, s.Name, at)
		}
		positions[s.Name] = s.Pos
		if s.ID == 0 {
			continue
		}
		if other, dup := ids[s.ID]; dup {
			b.cross(s.Pos, config.Error, s.Name, "server %q has the same id %d as %q", s.Name, s.ID, other)
		}
		ids[s.ID] = s.Name
	}
	next := 1
	for i := range d.p.Servers {
		if s := &d.p.Servers[i]; s.ID == 0 {
			next = free(ids, next)
			s.ID = next
		}
		next++
	}
}

// free returns the first number from n on that is not taken.
func free(taken map[int]string, n int) int {
	for {
		if _, used := taken[n]; !used {
			return n
		}
		n++
	}
}

// finishProxy settles what depends on the whole section or on global.
func (b *builder) finishProxy(d *draft) {
	p := &d.p
	for _, l := range d.logs {
		if l.global {
			p.Logs = append(p.Logs, b.cfg.Global.Logs...)
		} else {
			p.Logs = append(p.Logs, l.target)
		}
	}
	if p.LogTag == "" {
		p.LogTag = b.cfg.Global.LogTag
	}
	b.finishStats(p)
	b.finishUnix(p)
	b.finishTransparent(d)
	b.finishCheck(d)
	if p.Mode == settings.TCP {
		b.dropHTTP(d)
		b.refuseProtocols(p)
	}
	b.checkBalance(d)
	for i := range p.Servers {
		s := &p.Servers[i]
		settleLimits(s)
		s.CheckPort = cmp.Or(s.CheckPort, s.CheckAddrPort)
		if p.Check.Script != nil && p.Check.Script.NamesPort() {
			break
		}
		if s.Check && s.Path == "" && !isPath(s.CheckAddr) && s.Port == 0 && s.CheckPort == 0 && !s.ByService() {
			b.cross(s.Pos, config.Error, s.Name, "server %q has neither a service port nor a check port", s.Name)
		}
	}
	if p.Disabled {
		return
	}
	if _, tried := d.set["bind"]; p.Frontend && len(p.Binds) == 0 && !tried {
		b.cross(p.Pos, config.Warning, p.Name, "%s %q has no \"bind\"; declare it as a backend if that was intended", d.kind, p.Name)
	}
	b.missingTimeouts(d)
}

// finishStats fills in what a statistics page takes from elsewhere. The
// struct may be shared with other proxies through their defaults.
func (b *builder) finishStats(p *settings.Proxy) {
	if p.Stats == nil {
		return
	}
	s := *p.Stats
	if len(s.Access) > 0 && (len(s.Users) > 0 || s.Realm != defaultRealm) {
		b.cross(s.Pos, config.Error, p.Name, "%q has stats auth or realm beside stats http-request; one of them decides who sees the page", p.Name)
	}
	if s.ShowNode && s.Node == "" {
		s.Node = b.cfg.Global.Node
	}
	if s.ShowDesc && s.Desc == "" {
		s.Desc = b.cfg.Global.Description
	}
	s.Scope = slices.Clone(s.Scope)
	for i := range s.Scope {
		if s.Scope[i] == "." {
			s.Scope[i] = p.Name
		}
	}
	p.Stats = &s
}

// dropHTTP takes off what a tcp proxy cannot do. What came from defaults is
// dropped without a word where HAProxy says nothing either.
func (b *builder) dropHTTP(d *draft) {
	p := &d.p
	pos := func(row string) config.Pos {
		if at, ok := d.set[row]; ok {
			return at
		}
		return p.Pos
	}
	needs := func(row, instead string) {
		b.cross(pos(row), config.Warning, row, "%q is ignored in %s %q, it needs \"mode http\"%s", row, d.kind, p.Name, instead)
	}
	if p.Frontend && p.LogFormat == settings.LogCustom {
		b.refuseHTTPOnly(pos("log-format"), "log-format", p.LogFormatText)
	}
	if p.Frontend {
		b.refuseHTTPOnly(pos("unique-id-format"), "unique-id-format", p.UniqueID.Format)
	}
	if (p.LogFormat == settings.LogHTTP || p.LogFormat == settings.LogHTTPS || p.LogFormat == settings.LogCLF) && p.Frontend {
		name := "option httplog"
		if p.LogFormat == settings.LogHTTPS {
			name = "option httpslog"
		}
		needs(name, "; \"option tcplog\" is used")
		p.LogFormat = settings.LogTCP
	}
	if p.ForwardFor != nil {
		needs("option forwardfor", "")
		p.ForwardFor = nil
	}
	if p.Stats != nil {
		needs("stats", "")
		p.Stats = nil
	}
	if p.MonitorURI != "" {
		needs("monitor-uri", "")
		p.MonitorURI = ""
	}
	p.Connection = settings.KeepAlive
}

// missingTimeouts warns where a peer that says nothing would hold a
// connection for ever.
func (b *builder) missingTimeouts(d *draft) {
	t := d.p.Timeouts
	var missing []string
	if d.p.Frontend && len(d.p.Binds) > 0 && t.Client == 0 {
		missing = append(missing, "client")
	}
	if d.p.Backend && len(d.p.Servers) > 0 {
		if t.Connect == 0 {
			missing = append(missing, "connect")
		}
		if t.Server == 0 {
			missing = append(missing, "server")
		}
	}
	if len(missing) == 0 {
		return
	}
	b.cross(d.p.Pos, config.Warning, d.p.Name, "%s %q has no timeout for: %s; a silent peer may hold a connection for ever",
		d.kind, d.p.Name, strings.Join(missing, ", "))
}

// checkBackends checks what a frontend sends its traffic to.
func (b *builder) checkBackends(d *draft) {
	b.checkReferences(d)
	for i, choice := range d.p.Rules.Servers {
		known := slices.ContainsFunc(d.p.Servers, func(s settings.Server) bool { return s.Name == choice.Name })
		if choice.Format == nil && !known && d.p.Backend {
			b.diags.Unknown(d.wanted[i], config.Error, "server", choice.Name, serverNames(&d.p))
		}
	}
	if !d.p.Frontend {
		d.p.DefaultBackend = ""
		return
	}
	at, ok := d.set["default_backend"]
	if !ok {
		at = d.p.Pos
	}
	if d.p.DefaultBackend != "" {
		b.checkBackend(d, "default_backend", d.p.DefaultBackend, at)
	}
	for i, choice := range d.p.Rules.Backends {
		if choice.Format == nil {
			b.checkBackend(d, "use_backend", choice.Name, d.choices[i])
		}
	}
}

// checkBackend checks one backend, which word names at a position.
func (b *builder) checkBackend(d *draft, word, name string, at config.Pos) {
	var names []string
	for _, e := range b.proxies {
		if !e.p.Backend {
			continue
		}
		names = append(names, e.p.Name)
		if e.p.Name != name {
			continue
		}
		switch {
		case e == d && word == "default_backend":
			b.cross(d.p.Pos, config.Error, name, "%s %q is its own default_backend", d.kind, d.p.Name)
		case e.p.Mode == settings.HTTP && d.p.Mode == settings.TCP:
			b.diags.Unsupported(at, config.Error, "tcp frontend with http backend", name, "HAProxy")
		case e.p.Mode != d.p.Mode:
			b.cross(d.p.Pos, config.Error, name, "%s %q in mode %s cannot use backend %q, which is in mode %s (%v)",
				d.kind, d.p.Name, modeName(d.p.Mode), name, modeName(e.p.Mode), e.p.Pos)
		}
		return
	}
	f := config.Diagnostic{Pos: at, Severity: config.Error, Kind: config.Cross, Word: name,
		Message: d.kind + " \"" + d.p.Name + "\" has " + word + " \"" + name + "\", which does not exist"}
	if near := config.Nearest(name, names); near != "" {
		f.Fix = "did you mean \"" + near + "\"?"
	}
	b.diags.Add(f)
}

func modeName(m settings.Mode) string {
	if m == settings.HTTP {
		return "http"
	}
	return "tcp"
}

// Listens reports whether cfg would listen anywhere: a stats socket counts.
// HAProxy's "-c" answers 2 instead of 1 when this is all that is wrong.
func Listens(cfg *settings.Config) bool {
	if len(cfg.Global.StatsSockets) > 0 {
		return true
	}
	return slices.ContainsFunc(cfg.Proxies, func(p *settings.Proxy) bool {
		return p.Frontend && !p.Disabled && len(p.Binds) > 0
	})
}

// checkListeners: HAProxy refuses to start when nothing would listen. It is
// not said after other errors, which may be the reason.
func (b *builder) checkListeners() {
	if b.diags.HasErrors() || Listens(b.cfg) {
		return
	}
	pos := config.Pos{}
	if len(b.proxies) > 0 {
		pos.File = b.proxies[0].p.Pos.File
	}
	b.cross(pos, config.Error, "", "nothing would listen: no enabled frontend or listen section has a \"bind\"")
}
