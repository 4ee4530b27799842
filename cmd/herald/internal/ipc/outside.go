package ipc

import (
	"context"
	"encoding/json"
	"fmt"
)

// File is a file with a number in it that a VRRP role tracks.
type File struct {
	Name string `json:"name"`
	Path string `json:"path"`
	// Init has Value written where there is no file, or with Overwrite in any
	// case.
	Init      bool `json:"init,omitempty"`
	Overwrite bool `json:"overwrite,omitempty"`
	Value     int  `json:"value,omitempty"`
}

// Files are the numbers of tracked files by name: a command to a VRRP role.
type Files map[string]int

// Parts are the parts of a proxy: whether each frontend accepts, and how many
// servers of each backend are up. A proxy reports them, a VRRP role is told.
type Parts struct {
	Frontends map[string]bool `json:"frontends"`
	Backends  map[string]int  `json:"backends"`
}

// WatchRequest declares files to be watched; it is answered by Peer.Watched.
type WatchRequest struct {
	Files []File
	seq   uint64
}

func (Files) command()        {}
func (Parts) command()        {}
func (Parts) report()         {}
func (*WatchRequest) report() {}

// Watch declares the files to be tracked, once and before Ready, and returns
// their numbers. Files commands tell of every change.
func (r *Role) Watch(ctx context.Context, files []File) (Files, error) {
	m, err := r.ask(ctx, kindWatch, files)
	if err != nil {
		return nil, err
	}
	var now Files
	if err := json.Unmarshal(m.Body, &now); err != nil {
		return nil, fmt.Errorf("watch files: %w", err)
	}
	return now, nil
}

// Parts reports the parts of the proxy, to be sent whenever one changes.
func (r *Role) Parts(p Parts) { r.conn.post(message{Kind: kindParts, Body: body(p)}) }

// Watched answers a WatchRequest.
func (p *Peer) Watched(r *WatchRequest, now Files) {
	p.conn.post(message{Kind: kindReply, Seq: r.seq, Body: body(now)})
}

// Files tells a VRRP role what its files have now.
func (p *Peer) Files(now Files) { p.conn.post(message{Kind: kindFiles, Body: body(now)}) }

// Parts tells a VRRP role how the parts of the proxy are.
func (p *Peer) Parts(now Parts) { p.conn.post(message{Kind: kindParts, Body: body(now)}) }

// outside decodes a command about something outside the VRRP role.
func outside(m message) Command {
	switch m.Kind {
	case kindFiles:
		var f Files
		if json.Unmarshal(m.Body, &f) == nil {
			return f
		}
	case kindCounts:
		var c Counts
		if json.Unmarshal(m.Body, &c) == nil {
			return c
		}
	case kindContents:
		var c Contents
		if json.Unmarshal(m.Body, &c) == nil {
			return c
		}
	case kindParts:
		var p Parts
		if json.Unmarshal(m.Body, &p) == nil {
			return p
		}
	}
	return nil
}
