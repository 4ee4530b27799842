package settings

// HTTPOptions are the options of a proxy about HTTP messages (Configuration
// manual 4.2, "option ...").
type HTTPOptions struct {
	BufferRequest         bool   // http-buffer-request
	IgnoreProbes          bool   // http-ignore-probes
	PretendKeepAlive      bool   // http-pretend-keepalive
	AcceptInvalidRequest  bool   // accept-invalid-http-request
	AcceptInvalidResponse bool   // accept-invalid-http-response
	AdjustClient          bool   // h1-case-adjust-bogus-client
	AdjustServer          bool   // h1-case-adjust-bogus-server
	NoLinger              bool   // nolinger
	SendName              string // http-send-name-header, in lower case; empty is off
	Names                 HeaderNames
	UseProxyHeader        bool // http-use-proxy-header
	CheckCache            bool // checkcache
}

// HeaderNames says what becomes of request headers whose names have other
// characters than letters, digits and "-" (http-restrict-req-hdr-names).
type HeaderNames int

// Policies, the stricter the greater; NamesPreserve is the default.
const (
	NamesPreserve HeaderNames = iota
	NamesDelete
	NamesReject
)
