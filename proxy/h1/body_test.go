package h1

import (
	"strings"
	"testing"
)

func scan(in string, cuts ...int) (taken int, v Verdict, b Body) {
	b.Start(Chunked, 0)
	p := []byte(in)
	from := 0
	for _, to := range append(cuts, len(p)) {
		for from < to {
			n, done, v := b.Scan(p[from:to])
			taken += n
			if v.Bad() || done {
				return taken, v, b
			}
			from += n
		}
	}
	return taken, Incomplete, b
}

func TestChunkedBodiesEndWhereTheyEnd(t *testing.T) {
	for _, r := range []struct{ name, in string }{
		{"one chunk", "3\r\nabc\r\n0\r\n\r\n"},
		{"two chunks", "3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"},
		{"no chunk", "0\r\n\r\n"},
		{"leading zeros", "00000000000000000003\r\nabc\r\n000\r\n\r\n"},
		{"extensions", "3;a=b;c=\"d\\\";\"\r\nabc\r\n0;x\r\n\r\n"},
		{"an empty extension", "3;\r\nabc\r\n0\r\n\r\n"},
		{"blanks behind the size", "3 \t\r\nabc\r\n0 ;x\r\n\r\n"},
		{"trailers", "3\r\nabc\r\n0\r\nFoo: a b\r\nX-Content-Length:\r\n\r\n"},
		{"a trailer of a long name", "0\r\n" + strings.Repeat("x", 300) + ": 1\r\n\r\n"},
		{"CRLF inside data", "4\r\n\r\n\r\n\r\n0\r\n\r\n"},
	} {
		t.Run(r.name, func(t *testing.T) {
			if n, v, _ := scan(r.in + "GET /next"); v != Complete || n != len(r.in) {
				t.Errorf("%q: %d bytes %v, want %d %v", r.in, n, v, len(r.in), Complete)
			}
		})
	}
}

func TestMalformedChunksAreRefusedWithTheirReason(t *testing.T) {
	for _, r := range []struct {
		name, in string
		want     Verdict
	}{
		{"CVE-2025-22871: lone LF behind a size", "3\nabc\r\n0\r\n\r\n", BadChunkLine},
		{"CVE-2025-22871: lone LF behind an extension", "3;x\nabc\r\n0\r\n\r\n", BadChunkLine},
		{"CVE-2025-22871: lone LF behind blanks", "3 \nabc\r\n0\r\n\r\n", BadChunkLine},
		{"lone LF behind the last size", "0\n\r\n", BadChunkLine},
		{"lone LF behind data", "3\r\nabc\n0\r\n\r\n", BadChunkEnd},
		{"data longer than its size", "3\r\nabcd\r\n0\r\n\r\n", BadChunkEnd},
		{"CR without LF behind data", "3\r\nabc\rx", BadChunkEnd},
		{"CR without LF behind a size", "3\rabc", BadChunkLine},
		{"two CR behind a size", "3\r\r\nabc", BadChunkLine},
		{"lone CR in an extension", "3;a\rb\r\nabc", BadChunkLine},
		{"NUL in an extension", "3;a\x00b\r\nabc", BadChunkLine},
		{"no size", "\r\n\r\n", BadChunkSize},
		{"no size but an extension", ";x\r\n\r\n", BadChunkSize},
		{"a signed size", "+3\r\nabc", BadChunkSize},
		{"a blank before the size", " 3\r\nabc", BadChunkSize},
		{"a size in C notation", "0x3\r\nabc", BadChunkSize},
		{"rubbish behind the size", "3g\r\nabc", BadChunkSize},
		{"rubbish behind blanks", "3 3\r\nabc", BadChunkSize},
		{"a size of 2^60", "1000000000000000\r\n", BadChunkSize},
		{"a size of 2^63", "8000000000000000\r\n", BadChunkSize},
		{"a size over 2^64", "10000000000000003\r\nabc\r\n0\r\n\r\n", BadChunkSize},
		{"a long size line", "3;" + strings.Repeat("x", 5000) + "\r\n", ChunkLineTooLong},
		{"CVE-2023-39326: little data, long extensions", strings.Repeat("1;"+strings.Repeat("x", 1000)+"\r\na\r\n", 20), ChunkOverheadTooLong},
		{"lone LF behind a trailer", "0\r\nFoo: x\n\r\n", BadTrailer},
		{"CR without LF behind a trailer", "0\r\nFoo: x\rY: z\r\n\r\n", BadTrailer},
		{"CR without LF at the end", "0\r\n\rx", BadTrailer},
		{"lone LF at the end", "0\r\n\n", BadTrailer},
		{"space before a trailer's colon", "0\r\nFoo : x\r\n\r\n", BadTrailer},
		{"a trailer without a name", "0\r\n: x\r\n\r\n", BadTrailer},
		{"a trailer without a colon", "0\r\nfoo\r\n\r\n", BadTrailer},
		{"a folded trailer", "0\r\nFoo: x\r\n y\r\n\r\n", BadTrailer},
		{"NUL in a trailer", "0\r\nfoo: \x00\r\n\r\n", BadTrailer},
		{"content-length as a trailer", "0\r\nContent-Length: 9\r\n\r\n", ForbiddenTrailer},
		{"transfer-encoding as a trailer", "0\r\nTransfer-Encoding: chunked\r\n\r\n", ForbiddenTrailer},
		{"host as a trailer", "0\r\nFoo: x\r\nhost: a\r\n\r\n", ForbiddenTrailer},
		{"long trailers", "0\r\nfoo: " + strings.Repeat("x", 9000) + "\r\n\r\n", TrailersTooLong},
	} {
		t.Run(r.name, func(t *testing.T) {
			_, v, b := scan(r.in)
			if v != r.want {
				t.Errorf("%.80q: %v, want %v", r.in, v, r.want)
			}
			if n, done, again := b.Scan([]byte("0\r\n\r\n")); n != 0 || done || again != r.want {
				t.Errorf("after a refusal: %d %v %v, want 0 false %v", n, done, again, r.want)
			}
		})
	}
}

func TestExtensionsThatGoWithDataAreServed(t *testing.T) {
	chunk := "1000;chunk-signature=" + strings.Repeat("f", 64) + "\r\n" + strings.Repeat("d", 4096) + "\r\n"
	if _, v, _ := scan(strings.Repeat(chunk, 2000) + "0\r\n\r\n"); v != Complete {
		t.Errorf("signed chunks: %v, want %v", v, Complete)
	}
	if _, v, _ := scan(strings.Repeat("1\r\na\r\n", 20000) + "0\r\n\r\n"); v != Complete {
		t.Errorf("chunks of one byte: %v, want %v", v, Complete)
	}
}

func TestAChunkedBodyMayArriveInAnyPieces(t *testing.T) {
	for _, in := range []string{
		"3;a=b\r\nabc\r\n00A \r\n0123456789\r\n0\r\nFoo: a\r\nBar: b\r\n\r\nNEXT",
		"3\r\nabcd\r\n", "0\r\nHost: a\r\n\r\n", "3;\x01\r\n",
	} {
		want, wantVerdict, _ := scan(in)
		for i := 1; i < len(in); i++ {
			for j := i; j < len(in); j++ {
				n, v, _ := scan(in, i, j)
				if v != wantVerdict || v == Complete && n != want {
					t.Fatalf("%q cut at %d and %d: %d %v, want %d %v", in, i, j, n, v, want, wantVerdict)
				}
			}
		}
	}
}

func TestStripLeavesTheDataOnly(t *testing.T) {
	in := "3;x\r\nabc\r\nA\r\n0123456789\r\n0\r\nFoo: a\r\n\r\nNEXT"
	for cut := range len(in) {
		var b Body
		b.Start(Chunked, 0)
		p := []byte(in)
		data, n, done, v := b.Strip(p[:cut])
		got := string(data)
		if !done {
			data, m, d, w := b.Strip(p[n:])
			got, n, done, v = got+string(data), n+m, d, w
		}
		if got != "abc0123456789" || !done || v != Complete || in[n:] != "NEXT" {
			t.Fatalf("cut at %d: %q, %d bytes, %v %v", cut, got, n, done, v)
		}
	}
	var b Body
	b.Start(Chunked, 0)
	if data, n, done, v := b.Strip([]byte("1\r\nab")); len(data) != 0 || n != 0 || done || v != BadChunkEnd {
		t.Errorf("malformed: %q %d %v %v", data, n, done, v)
	}
	b.Start(Length, 3)
	if data, n, done, _ := b.Strip([]byte("abcd")); string(data) != "abc" || n != 3 || !done {
		t.Errorf("length: %q %d %v", data, n, done)
	}
}

func TestALengthIsCountedDown(t *testing.T) {
	var b Body
	b.Start(Length, 5)
	if n, done, v := b.Scan([]byte("abc")); n != 3 || done || v != Incomplete || b.Left() != 2 || b.EndsAtClose() {
		t.Errorf("first: %d %v %v, left %d", n, done, v, b.Left())
	}
	if n, done, v := b.Scan([]byte("deNEXT")); n != 2 || !done || v != Complete || !b.Done() || b.Left() != 0 {
		t.Errorf("second: %d %v %v", n, done, v)
	}
	if n, done, _ := b.Scan([]byte("NEXT")); n != 0 || !done {
		t.Errorf("after the end: %d %v", n, done)
	}
}

func TestBodiesWithoutLengthEndWithTheConnection(t *testing.T) {
	for _, f := range []Framing{UntilClose, Tunnel} {
		var b Body
		b.Start(f, 0)
		if n, done, v := b.Scan([]byte("abc")); n != 3 || done || v != Incomplete || b.Left() != -1 || !b.EndsAtClose() || b.Done() {
			t.Errorf("%v: %d %v %v left %d", f, n, done, v, b.Left())
		}
	}
	var b Body
	for _, f := range []Framing{NoBody, Length} {
		b.Start(f, 0)
		if n, done, _ := b.Scan([]byte("abc")); n != 0 || !done || !b.EndsAtClose() {
			t.Errorf("%v: %d %v", f, n, done)
		}
	}
	b.Start(Chunked, 0)
	if b.EndsAtClose() || b.Left() != 0 {
		t.Error("a chunked body ended at close")
	}
}

func TestSkippedBytesCountAsPassed(t *testing.T) {
	var b Body
	b.Start(Length, 10)
	b.Scan([]byte("ab"))
	if b.Skip(7) || b.Left() != 1 {
		t.Errorf("left %d, want 1", b.Left())
	}
	if !b.Skip(1) || !b.Done() {
		t.Error("not done")
	}
	b.Start(Chunked, 0)
	b.Scan([]byte("a;x\r\nab"))
	if b.Left() != 8 || b.Skip(8) || b.Left() != 0 {
		t.Errorf("left %d, want 0", b.Left())
	}
	if n, done, v := b.Scan([]byte("\r\n0\r\n\r\n")); n != 7 || !done || v != Complete {
		t.Errorf("%d %v %v", n, done, v)
	}
	b.Start(UntilClose, 0)
	if b.Skip(1 << 40) {
		t.Error("until close is done")
	}
}
