package ipc

// Follow names files, with the SHA-256 of what was read of each (empty for a
// missing one), whose contents a proxy role is to be told when they
// change: it cannot read them any more once it serves, and the keys of
// certificates are root's. It is sent once, before Ready.
type Follow map[string][]byte

// Contents are files that changed, by path; nil for one that is gone: a
// command to a proxy role.
type Contents map[string][]byte

func (Follow) report()    {}
func (Contents) command() {}

// Follow declares the files to be followed.
func (r *Role) Follow(sums Follow) { r.conn.post(message{Kind: kindFollow, Body: body(sums)}) }

// Contents tells a proxy role what its files have now.
func (p *Peer) Contents(now Contents) { p.conn.post(message{Kind: kindContents, Body: body(now)}) }
