package h1

// Lenient is how far a head that breaks the grammar passes (Configuration
// manual, "option accept-invalid-http-request" and "-response"): header names
// of bytes that are no token, and in a request also a fragment and bytes above
// 0x7e in the target, and any host. What another reader might frame or route
// otherwise stays refused: NUL, lone CR, space before the colon, everything
// about lengths and codings.

// nameByte returns how byte c of a header name is written, 0 when it ends the
// name.
func (h *Head) nameByte(c byte) byte {
	if l := lowerToken[c]; l != 0 {
		return l
	}
	if h.Lenient && c >= ' ' && c != ':' && c != 0x7f {
		return c
	}
	return 0
}

// inTarget reports whether c may be part of a request target.
func (h *Head) inTarget(c byte) bool {
	return targetByte[c] || h.Lenient && (c == '#' || c > 0x7f)
}
