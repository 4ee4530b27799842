package proxy

import (
	"strconv"
	"strings"
	"time"

	"herald/proxy/logline"
)

// logFailure logs that the connection carried nothing (Configuration manual
// 8.2.5).
func (c *client) logFailure(why string) {
	w, f := c.w, c.port.fe
	lg := f.log
	if len(lg.targets) == 0 {
		return
	}
	level := logline.Info
	if f.cfg.LogSeparateErrors {
		level = logline.Err
	}
	w.record = logline.Record{Accept: w.l.Wall().Add(time.Duration(c.since - w.l.Now())), Client: c.peer, ListenerID: c.port.id,
		Frontend: f.cfg.Name, Bind: c.bindName()}
	w.lines = logline.AppendFailure(w.lines[:0], &w.record, &w.dates, why)
	lg.send(w, level)
}

// bindName is what HAProxy calls the bind line in such a line of the log.
func (c *client) bindName() string {
	b := c.port.bind
	if strings.HasPrefix(b.Name, b.Pos.String()+":") { // it has no name of its own
		return strconv.Itoa(c.port.id)
	}
	return b.Name
}
