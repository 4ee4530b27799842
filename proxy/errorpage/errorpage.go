// Package errorpage holds the whole HTTP responses a proxy answers with on
// its own: HAProxy 2.6's default texts, byte for byte, and the reading of
// errorfile contents.
//
// It opens no file and chooses no page: the caller has the bytes and the
// status.
//
//	page := errorpage.Default(503)
//	conn.Write(page) // status line, headers, body
//
//	if err := errorpage.Check(bytes); err != nil {
//		diags.Warnf(pos, path, "errorfile: %v", err)
//	}
package errorpage

// Default returns HAProxy's default response for status, or nil when HAProxy
// has none. Callers must not change it.
func Default(status int) []byte { return nil }

// Statuses returns the statuses an errorfile line may name, rising.
func Statuses() []int { return nil }

// Page is the checked content of an errorfile.
type Page struct {
	Bytes  []byte // as sent, normalised to CRLF line ends in the head, with content-length
	Status int    // of its status line
	Body   int    // where the body starts in Bytes
}

// Parse reads the content of an errorfile: a whole HTTP response. Empty
// content is allowed and means that nothing is sent.
func Parse(content []byte) (Page, error) { return Page{}, nil }
