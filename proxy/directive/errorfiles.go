package directive

import (
	"fmt"
	"slices"

	"herald/config"
	"herald/proxy/settings"
)

// errorStatuses are the responses that can be replaced (manual, "errorfile").
var errorStatuses = []int{200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 425, 429, 500, 501, 502, 503, 504}

var errorFileRows = []config.Row[keyword]{
	{Name: "errorfile", Syntax: "STATUS FILE", Example: "errorfile 503 /etc/haproxy/errors/503.http",
		Doc: "Sends a file, a whole HTTP response, instead of the built-in error page.",
		Do:  keyword{in: anyProxy, min: 2, max: many, read: func(c *call) { c.errorFile(c.px.p.ErrorFiles) }}},
	errorGroupRow,
}

// errorStatus reads argument i as a status with a page.
func (c *call) errorStatus(i int) (int, bool) {
	status, err := config.Int(c.arg(i), 0, 999)
	if err != nil || !slices.Contains(errorStatuses, status) {
		c.reject(i, "status code %q is not one of %s", c.arg(i), fmt.Sprint(errorStatuses))
		return 0, false
	}
	return status, true
}

// errorFile reads the file at load, before the process leaves its root.
// HAProxy refuses to start without the file. Here the built-in page stands in
// for it, so that a configuration naming /etc/haproxy/errors runs where
// HAProxy's own package is not installed.
func (c *call) errorFile(pages map[int]settings.ErrorFile) {
	status, ok := c.errorStatus(0)
	if !ok {
		return
	}
	if len(c.args) > 2 {
		c.warn(2, "%q is ignored", c.arg(2))
	}
	file, err := c.readFile(c.arg(1))
	if err != nil {
		delete(pages, status)
		c.warn(1, "%v; the built-in %d page is used instead", err, status)
		return
	}
	if len(file.Bytes) > c.cfg.Global.BufSize {
		c.reject(1, "file %q is larger than a buffer (%d bytes)", c.arg(1), c.cfg.Global.BufSize)
		return
	}
	pages[status] = file
}

// readFile reads a file once however often it is named.
func (b *builder) readFile(name string) (settings.ErrorFile, error) {
	if f, ok := b.files[name]; ok {
		return f, nil
	}
	if b.opt.ReadFile == nil {
		return settings.ErrorFile{}, fmt.Errorf("file %q does not exist", name)
	}
	content, err := b.opt.ReadFile(name)
	if err != nil {
		return settings.ErrorFile{}, err
	}
	f := settings.ErrorFile{Path: name, Bytes: content}
	b.files[name] = f
	return f, nil
}
