// Package errorpage holds the whole HTTP responses a proxy answers with on
// its own: HAProxy 2.6's default texts, byte for byte, and the reading of
// errorfile contents with HAProxy's rules.
//
// It opens no file and chooses no page: the caller has the bytes and the
// status.
//
//	page := errorpage.Default(503)
//	out = errorpage.Append(out[:0], page, "close", true)
//
//	page, err := errorpage.Parse(content)
//	if err != nil {
//		diags.Errorf(pos, path, "errorfile %s: %v", path, err)
//	}
package errorpage

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"herald/proxy/h1"
)

// Page is the checked content of an errorfile.
type Page struct {
	Bytes  []byte // the response as sent; empty means nothing is sent
	Status int    // of its status line, which may differ from the one it stands for
	Body   int    // where the body starts in Bytes
	Sized  bool   // says how long it is; the connection must be closed after one that does not
}

// Append appends page, a whole response, with a connection header of this
// value behind its own headers, and without its body when body is false (the
// request was HEAD). "close" is not written in a response of version 1.0,
// which closes anyway; an empty connection writes none.
func Append(dst, page []byte, connection string, body bool) []byte {
	end := bytes.Index(page, []byte("\r\n\r\n"))
	if end < 0 {
		return dst
	}
	dst = append(dst, page[:end+2]...)
	if connection != "" && !(connection == "close" && bytes.HasPrefix(page, []byte("HTTP/1.0"))) {
		dst = append(dst, "connection: "...)
		dst = append(dst, connection...)
		dst = append(dst, '\r', '\n')
	}
	dst = append(dst, '\r', '\n')
	if body {
		dst = append(dst, page[end+4:]...)
	}
	return dst
}

// Sized reports whether page, a whole response with names in lower case, says
// how long its body is, so that another response may follow it.
func Sized(page []byte) bool {
	head, _, _ := bytes.Cut(page, []byte("\r\n\r\n"))
	return bytes.Contains(head, []byte("\r\ncontent-length:"))
}

// texts are HAProxy 2.6.12's, as it sent them: the misplaced full stop in 501
// is its own.
var texts = []struct {
	status       int
	reason, text string
}{
	{200, "OK", "Service ready."},
	{400, "Bad request", "Your browser sent an invalid request."},
	{401, "Unauthorized", "You need a valid user and password to access this content."},
	{403, "Forbidden", "Request forbidden by administrative rules."},
	{404, "Not Found", "The resource could not be found."},
	{405, "Method Not Allowed", "A request was made of a resource using a request method not supported by that resource"},
	{407, "Unauthorized", "You need a valid user and password to access this content."},
	{408, "Request Time-out", "Your browser didn't send a complete request in time."},
	{410, "Gone", "The resource is no longer available and will not be available again."},
	{413, "Payload Too Large", "The request entity exceeds the maximum allowed."},
	{421, "Misdirected Request", "Request sent to a non-authoritative server."},
	{422, "Unprocessable Content", "The server cannot process the contained instructions."},
	{425, "Too Early", "Your browser sent early data."},
	{429, "Too Many Requests", "You have sent too many requests in a given amount of time."},
	{500, "Internal Server Error", "An internal server error occurred."},
	{501, "Not Implemented", ".The server does not support the functionality required to fulfill the request."},
	{502, "Bad Gateway", "The server returned an invalid or incomplete response."},
	{503, "Service Unavailable", "No server is available to handle this request."},
	{504, "Gateway Time-out", "The server didn't respond in time."},
}

var pages = func() map[int][]byte {
	all := map[int][]byte{}
	for _, t := range texts {
		body := fmt.Sprintf("<html><body><h1>%d %s</h1>\n%s\n</body></html>\n", t.status, t.reason, t.text)
		all[t.status] = fmt.Appendf(nil, "HTTP/1.1 %d %s\r\ncontent-length: %d\r\ncache-control: no-cache\r\ncontent-type: text/html\r\n\r\n%s", t.status, t.reason, len(body), body)
	}
	return all
}()

// Default returns HAProxy's default response for status, or nil when HAProxy
// has none. Callers must not change it.
func Default(status int) []byte { return pages[status] }

// Statuses returns the statuses that have a default page and that an
// errorfile line may name, rising.
func Statuses() []int {
	all := make([]int, 0, len(texts))
	for _, t := range texts {
		all = append(all, t.status)
	}
	slices.Sort(all)
	return all
}

// Parse reads the content of an errorfile: a whole HTTP response. As in
// HAProxy, names become lower case, connection headers go, lone LFs in the
// head are mended, a content-length must be the body's and chunked bodies are
// refused. Empty content is allowed and means that nothing is sent.
func Parse(content []byte) (Page, error) {
	if len(content) == 0 {
		return Page{}, nil
	}
	var head h1.Head
	buf := slices.Clone(content)
	switch v := head.ParseResponse(buf, h1.MethodGet, false); {
	case v == h1.BadUpgrade:
		return Page{}, errors.New("invalid status code 101 for an error message")
	case v == h1.Incomplete:
		return Page{}, errors.New("parse head: no empty line ends it")
	case v.Bad():
		return Page{}, fmt.Errorf("parse head: %v", v)
	}
	body := buf[head.Len:]
	switch {
	case head.Interim():
		return Page{}, fmt.Errorf("invalid status code %d for an error message", head.Status)
	case head.Framing == h1.Chunked:
		return Page{}, errors.New("chunked body: not supported in an errorfile")
	case head.Framing == h1.NoBody && head.Length <= 0 && len(body) > 0:
		return Page{}, fmt.Errorf("body of %d bytes not expected", len(body))
	case head.Length >= 0 && head.Status != 304 && head.Length != int64(len(body)):
		return Page{}, fmt.Errorf("body of %d bytes does not match content-length %d", len(body), head.Length)
	}
	out := head.AppendResponse(nil, buf, h1.Edits{})
	return Page{Bytes: append(out, body...), Status: head.Status, Body: len(out), Sized: head.Framing != h1.UntilClose}, nil
}
