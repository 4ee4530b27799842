package h1

import "testing"

const curl = "GET /index.html?x=1 HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\n" +
	"Cookie: session=0123456789abcdef0123456789abcdef\r\nConnection: keep-alive\r\n\r\n"

const origin = "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sun, 22 Nov 2026 15:40:49 GMT\r\nContent-Type: text/html\r\nContent-Length: 1024\r\n" +
	"Last-Modified: Sun, 22 Nov 2026 15:00:00 GMT\r\nConnection: keep-alive\r\nETag: \"65fd-400\"\r\nAccept-Ranges: bytes\r\n\r\n"

func TestAMessageCostsNoAllocation(t *testing.T) {
	var h Head
	var b Body
	in, out := []byte(curl), make([]byte, 0, 4096)
	add := []Field{{[]byte("x-forwarded-for"), []byte("127.0.0.1")}}
	chunked := []byte("400;a=b\r\n" + string(make([]byte, 1024)) + "\r\n0\r\nfoo: bar\r\n\r\n")
	h.ParseRequest(in)
	if n := testing.AllocsPerRun(100, func() {
		h.Reset()
		if h.ParseRequest(in) != Complete {
			t.Fatal("request")
		}
		out = h.AppendRequest(out[:0], in, Edits{Add: add})
		b.Start(Chunked, 0)
		if _, done, _ := b.Scan(chunked); !done {
			t.Fatal("body")
		}
	}); n != 0 {
		t.Errorf("%v allocations a request, want 0", n)
	}
	in = []byte(origin)
	if n := testing.AllocsPerRun(100, func() {
		h.Reset()
		if h.ParseResponse(in, MethodGet, false) != Complete {
			t.Fatal("response")
		}
		out = h.AppendResponse(out[:0], in, Edits{Connection: SayClose})
	}); n != 0 {
		t.Errorf("%v allocations a response, want 0", n)
	}
}

func BenchmarkRequest(b *testing.B) {
	var h Head
	buf, out := []byte(curl), make([]byte, 0, 4096)
	add := []Field{{[]byte("x-forwarded-for"), []byte("127.0.0.1")}}
	b.SetBytes(int64(len(curl)))
	for b.Loop() {
		copy(buf, curl)
		h.Reset()
		h.ParseRequest(buf)
		out = h.AppendRequest(out[:0], buf, Edits{Add: add})
	}
}

func BenchmarkResponse(b *testing.B) {
	var h Head
	buf, out := []byte(origin), make([]byte, 0, 4096)
	b.SetBytes(int64(len(origin)))
	for b.Loop() {
		copy(buf, origin)
		h.Reset()
		h.ParseResponse(buf, MethodGet, false)
		out = h.AppendResponse(out[:0], buf, Edits{})
	}
}

func BenchmarkChunks(b *testing.B) {
	chunk := []byte("1000\r\n" + string(make([]byte, 4096)) + "\r\n")
	var body Body
	body.Start(Chunked, 0)
	b.SetBytes(int64(len(chunk)))
	for b.Loop() {
		body.Scan(chunk)
	}
}
