package logline

// Format is a compiled log format. It is immutable and safe for concurrent use.
type Format struct{}

// The fixed formats (configuration manual 8.2).
var (
	Default = &Format{} // "Connect from ..."
	TCP     = &Format{} // option tcplog
	HTTP    = &Format{} // option httplog
	CLF     = &Format{} // option httplog clf
)

// Compile compiles log-format text. Its errors name the offending variable,
// flag or expression; sample expressions are reported as not supported yet
// (errors.Is ErrExpression).
func Compile(text string) (*Format, error) { return nil, nil }

// Append appends the line for r, without a line end.
func (f *Format) Append(dst []byte, r *Record, d *Dates) []byte { return dst }
