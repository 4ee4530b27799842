package tlsconn

import (
	"bytes"
	"crypto/tls"
	"reflect"
	"runtime"
	"strings"
	"unsafe"
)

// A tls.Conn keeps for life the two buffers its handshake went through, 3.5 KB
// of the 6.5 KB an idle connection costs, and after one large record 16 KB
// more. It has no way to be told to let go, so the empty ones are replaced
// here, in the versions of crypto/tls whose code was read for it: both are
// plain bytes.Buffers, an empty one is only ever appended to, and what was
// taken out of it keeps its own memory.
var slimmable = func() (offsets []uintptr) {
	if !strings.HasPrefix(runtime.Version(), "go1.26") {
		return nil
	}
	for _, name := range []string{"rawInput", "hand"} {
		f, ok := reflect.TypeFor[tls.Conn]().FieldByName(name)
		if !ok || f.Type != reflect.TypeFor[bytes.Buffer]() {
			return nil
		}
		offsets = append(offsets, f.Offset)
	}
	return offsets
}()

// slim lets go of empty buffers of c that hold more than a number of bytes.
// Nobody else may use c meanwhile.
func slim(c *tls.Conn, most int) {
	for _, at := range slimmable {
		if b := (*bytes.Buffer)(unsafe.Add(unsafe.Pointer(c), at)); b.Len() == 0 && b.Cap() > most {
			*b = bytes.Buffer{}
		}
	}
}

// slimMessages lets go of the buffer of handshake messages alone: the other one
// is in use while crypto/tls waits for a record.
func slimMessages(c *tls.Conn) {
	if len(slimmable) == 0 {
		return
	}
	if b := (*bytes.Buffer)(unsafe.Add(unsafe.Pointer(c), slimmable[1])); b.Len() == 0 && b.Cap() > 0 {
		*b = bytes.Buffer{}
	}
}

// Rest lets go of what the connection does not need while it waits: after
// its first request also of what the handshake left, when the request came
// with the handshake's last message.
func (t *Conn) Rest(first bool) {
	if first {
		slim(t.conn, smallestIdle)
		return
	}
	slim(t.conn, largestIdle)
}

// smallestIdle is what crypto/tls takes for a small record. largestIdle is how large a buffer of crypto/tls may be while its connection
// waits for a request.
const smallestIdle, largestIdle = 1 << 10, 4 << 10
