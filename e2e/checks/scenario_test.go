package checks_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"time"

	"testing"

	"golang.org/x/net/http2"
)

// A peer is one scripted server of a health check.
type peer func(net.Conn)

// answers waits for a byte and says text.
func answers(text string) peer {
	return func(c net.Conn) {
		c.Read(make([]byte, 4096))
		io.WriteString(c, text)
		wait(c)
	}
}

// answersAndCloses closes in order after the answer.
func answersAndCloses(text string) peer {
	return func(c net.Conn) {
		c.Read(make([]byte, 4096))
		io.WriteString(c, text)
	}
}

// greets says text first, and then answers each read with the next one.
func greets(text string, more ...string) peer {
	return func(c net.Conn) {
		io.WriteString(c, text)
		for _, m := range more {
			if _, err := c.Read(make([]byte, 4096)); err != nil {
				return
			}
			io.WriteString(c, m)
		}
		wait(c)
	}
}

// dialogue answers each line with the next text.
func dialogue(texts ...string) peer {
	return func(c net.Conn) {
		r := bufio.NewReader(c)
		for _, m := range texts {
			if _, err := r.ReadString('\n'); err != nil {
				return
			}
			io.WriteString(c, m)
		}
		wait(c)
	}
}

// readsAndSays closes in order after it was heard and has said text.
func readsAndSays(text string) peer { return answersAndCloses(text) }

func readsAndCloses(c net.Conn) { c.Read(make([]byte, 4096)) }

// packet is one of the MySQL protocol.
func packet(seq byte, body string) string {
	return string([]byte{byte(len(body)), byte(len(body) >> 8), byte(len(body) >> 16), seq}) + body
}

var mariadb = packet(0, "\x0a5.5.5-10.11.4-MariaDB\x00\x01\x00\x00\x0011111111\x00\xff\xf7\x08\x02\x00\xff\x81\x15"+
	strings.Repeat("\x00", 10)+"111111111111\x00")

// encrypted speaks TLS with a certificate of its own.
func encrypted(p peer, protocols ...string) peer {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"a"}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	c := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: protocols}
	return func(plain net.Conn) {
		t := tls.Server(plain, c)
		if t.Handshake() == nil {
			p(t)
		}
	}
}

// second answers requests of HTTP/2.
func second(status int, body string) peer {
	return func(c net.Conn) {
		(&http2.Server{}).ServeConn(c, &http2.ServeConnOpts{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			io.WriteString(w, body)
		})})
	}
}

func silent(c net.Conn) { wait(c) }

func closing(c net.Conn) {}

func resetting(c net.Conn) {
	c.Read(make([]byte, 4096))
	c.(*net.TCPConn).SetLinger(0)
}

func wait(c net.Conn) {
	c.SetReadDeadline(time.Now().Add(3 * time.Second))
	io.Copy(io.Discard, c)
}

func raw(h string) string {
	b, err := hex.DecodeString(strings.ReplaceAll(h, " ", ""))
	if err != nil {
		panic(err)
	}
	return string(b)
}

func listen(t *testing.T, p peer) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if p == nil {
		l.Close()
		return l.Addr().String()
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); p(c) }()
		}
	}()
	return l.Addr().String()
}

const ok200 = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: one, two\r\nSet-Cookie: sessid=1\r\n\r\nhello"

type scenario struct {
	name   string
	peer   peer
	rules  string // lines of the backend
	server string // words of the server line; $PORT is the port of the peer
	ours   string // what herald says instead, on purpose
}

var scenarios = []scenario{
	{name: "http-200", peer: answers(ok200), rules: "option httpchk"},
	{name: "http-503", peer: answers("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"), rules: "option httpchk GET /"},
	{name: "http-503-reasonless", peer: answers("HTTP/1.1 503\r\nContent-Length: 0\r\n\r\n"), rules: "option httpchk GET /"},
	{name: "http-302", peer: answers("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"), rules: "option httpchk GET /"},
	{name: "http-404", peer: answers("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), rules: "option httpchk GET /\nhttp-check disable-on-404"},
	{name: "http-404-expect", peer: answers("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), rules: "option httpchk GET /\nhttp-check disable-on-404\nhttp-check expect status 200"},
	{name: "http-404-expect404", peer: answers("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), rules: "option httpchk GET /\nhttp-check disable-on-404\nhttp-check expect status 404"},
	{name: "http-0.9", peer: answers("hello"), rules: "option httpchk"},
	{name: "http-garbage", peer: answers("SSH-2.0-OpenSSH_9.2\r\n"), rules: "option httpchk"},
	{name: "http-answer-close", peer: answersAndCloses("HTTP/1.0 200 OK\r\n\r\nbye"), rules: "option httpchk\nhttp-check expect string bye"},
	{name: "http-silent", peer: silent, rules: "option httpchk"},
	{name: "http-reset", peer: resetting, rules: "option httpchk"},
	{name: "http-refused", peer: nil, rules: "option httpchk"},
	{name: "http-half", peer: answers("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello"), rules: "option httpchk\nhttp-check expect string nohello"},
	{name: "http-half-head", peer: answers("HTTP/1.1 200 OK\r\nContent-"), rules: "option httpchk"},
	{name: "http-half-close", peer: answersAndCloses("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello"), rules: "option httpchk\nhttp-check expect string nohello"},
	{name: "http-100", peer: answers("HTTP/1.1 100 Continue\r\n\r\n" + ok200), rules: "option httpchk"},
	{name: "http-bigcode", peer: answers("HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"), rules: "option httpchk"},
	{name: "http-status-no", peer: answers(ok200), rules: "option httpchk\nhttp-check expect status 204,300-310"},
	{name: "http-status-not", peer: answers(ok200), rules: "option httpchk\nhttp-check expect ! status 200"},
	{name: "http-rstatus", peer: answers(ok200), rules: "option httpchk\nhttp-check expect rstatus ^2"},
	{name: "http-rstatus-no", peer: answers(ok200), rules: "option httpchk\nhttp-check expect rstatus ^3"},
	{name: "http-rstatus-not", peer: answers(ok200), rules: "option httpchk\nhttp-check expect ! rstatus ^2"},
	{name: "http-string", peer: answers(ok200), rules: "option httpchk\nhttp-check expect string ell"},
	{name: "http-string-no", peer: answers(ok200), rules: "option httpchk\nhttp-check expect string nope"},
	{name: "http-string-not", peer: answers(ok200), rules: "option httpchk\nhttp-check expect ! string ell"},
	{name: "http-string-comment", peer: answers(ok200), rules: "option httpchk\nhttp-check comment first\nhttp-check connect\nhttp-check comment asking\nhttp-check send meth GET uri /x\nhttp-check expect comment looking string nope"},
	{name: "http-rstring", peer: answers(ok200), rules: "option httpchk\nhttp-check expect rstring h.*o"},
	{name: "http-rstring-no", peer: answers(ok200), rules: "option httpchk\nhttp-check expect rstring ^x"},
	{name: "http-string-nobody", peer: answers("HTTP/1.1 204 No Content\r\n\r\n"), rules: "option httpchk\nhttp-check expect string x"},
	{name: "http-hdr", peer: answers(ok200), rules: "option httpchk\nhttp-check expect hdr name x-a value two"},
	{name: "http-hdr-no", peer: answers(ok200), rules: "option httpchk\nhttp-check expect hdr name x-a value three"},
	{name: "http-hdr-not", peer: answers(ok200), rules: "option httpchk\nhttp-check expect ! hdr name x-a"},
	{name: "http-fhdr", peer: answers(ok200), rules: "option httpchk\nhttp-check expect fhdr name -m beg set- value -m beg sessid="},
	{name: "http-fhdr-no", peer: answers(ok200), rules: "option httpchk\nhttp-check expect fhdr name x-a value two"},
	{name: "http-two-expects", peer: answers(ok200), rules: "option httpchk\nhttp-check expect status 200\nhttp-check expect string nope"},
	{name: "http-error-status", peer: answers(ok200), rules: "option httpchk\nhttp-check expect error-status L7OKC status 300"},
	{name: "http-ok-status", peer: answers(ok200), rules: "option httpchk\nhttp-check expect ok-status L7OKC status 200"},
	{name: "http-ok-status6", peer: answers(ok200), rules: "option httpchk\nhttp-check expect ok-status L6OK status 200"},
	{name: "http-on-success", peer: answers(ok200), rules: "option httpchk\nhttp-check expect on-success \"fine %[status] done\" status 200"},
	{name: "http-on-error", peer: answers(ok200), rules: "option httpchk\nhttp-check expect on-error \"oh no\" status 300"},
	{name: "http-on-error-comment", peer: answers(ok200), rules: "option httpchk\nhttp-check expect on-error \"oh no\" comment why status 300"},
	{name: "http-tout-status", peer: silent, rules: "option httpchk\nhttp-check expect tout-status L6TOUT status 200"},
	{name: "http-status-code", peer: answers(ok200), rules: "option httpchk\nhttp-check expect status-code int(77) status 300"},
	{name: "http-min-recv", peer: answers(ok200), rules: "option httpchk\nhttp-check expect min-recv 1000 string nope"},
	{name: "http-connect-port", peer: answers(ok200), rules: "option httpchk\nhttp-check connect port 1\nhttp-check send meth GET uri /"},
	{name: "http-connect-port-comment", peer: answers(ok200), rules: "option httpchk\nhttp-check connect port 1 comment \"my port\"\nhttp-check send meth GET uri /"},
	{name: "http-step-status", peer: answers("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"), rules: "option httpchk\nhttp-check connect\nhttp-check send meth GET uri / comment c1\nhttp-check expect status 200 comment c2"},
	{name: "http-implicit-expect", peer: answers("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"), rules: "option httpchk\nhttp-check connect\nhttp-check send meth GET uri / comment c1"},
	{name: "tcp-empty", peer: silent, rules: "option tcp-check"},
	{name: "tcp-plain", peer: silent, rules: ""},
	{name: "tcp-plain-refused", peer: nil, rules: ""},
	{name: "tcp-empty-refused", peer: nil, rules: "option tcp-check"},
	{name: "tcp-connect", peer: silent, rules: "option tcp-check\ntcp-check connect"},
	{name: "tcp-connect-refused", peer: nil, rules: "option tcp-check\ntcp-check connect"},
	{name: "tcp-connect-comment-refused", peer: nil, rules: "option tcp-check\ntcp-check connect comment \"the door\""},
	{name: "tcp-connect-port-refused", peer: silent, rules: "option tcp-check\ntcp-check connect port 1"},
	{name: "tcp-send-only", peer: silent, rules: "option tcp-check\ntcp-check send QUIT\\r\\n"},
	{name: "tcp-send-only-closing", peer: closing, rules: "option tcp-check\ntcp-check send QUIT\\r\\n"},
	{name: "tcp-banner", peer: greets("+OK ready\r\n"), rules: "option tcp-check\ntcp-check expect string +OK\\ ready"},
	{name: "tcp-banner-no", peer: greets("-ERR no\r\n"), rules: "option tcp-check\ntcp-check expect string +OK"},
	{name: "tcp-banner-close-no", peer: func(c net.Conn) { io.WriteString(c, "-ERR no\r\n") }, rules: "option tcp-check\ntcp-check expect string +OK"},
	{name: "tcp-banner-min", peer: greets("-ERR no\r\n"), rules: "option tcp-check\ntcp-check expect min-recv 3 string +OKAY"},
	{name: "tcp-banner-min0", peer: greets("-ERR no\r\n"), rules: "option tcp-check\ntcp-check expect min-recv 0 string +OKAY-longer-than-that"},
	{name: "tcp-short", peer: greets("+O"), rules: "option tcp-check\ntcp-check expect string +OK"},
	{name: "tcp-banner-not", peer: greets("-ERR no\r\n"), rules: "option tcp-check\ntcp-check expect ! string ERR"},
	{name: "tcp-banner-not-ok", peer: greets("-fine\r\n"), rules: "option tcp-check\ntcp-check expect ! string ERR"},
	{name: "tcp-rstring", peer: greets("-ERR no\r\n"), rules: "option tcp-check\ntcp-check expect rstring ^\\+OK"},
	{name: "tcp-rstring-not", peer: greets("-ERR no\r\n"), rules: "option tcp-check\ntcp-check expect ! rstring ERR"},
	{name: "tcp-rstring-ok", peer: greets("-ERR no\r\n"), rules: "option tcp-check\ntcp-check expect rstring E.R"},
	{name: "tcp-binary", peer: greets("\x00\x01\x02abc"), rules: "option tcp-check\ntcp-check expect binary 000102"},
	{name: "tcp-binary-no", peer: greets("\x00\x01\x02abc"), rules: "option tcp-check\ntcp-check expect binary 0A0b0C"},
	{name: "tcp-binary-not", peer: greets("\x00\x01\x02abc"), rules: "option tcp-check\ntcp-check expect ! binary 0102"},
	{name: "tcp-rbinary", peer: greets("\x00\x01\x02abc"), rules: "option tcp-check\ntcp-check expect rbinary ^0001..61"},
	{name: "tcp-rbinary-no", peer: greets("\x00\x01\x02abc"), rules: "option tcp-check\ntcp-check expect rbinary ^99"},
	{name: "tcp-stringlf", peer: greets("hello be\r\n"), rules: "option tcp-check\ntcp-check set-var(check.x) str(be)\ntcp-check expect string-lf \"hello %[var(check.x)]\""},
	{name: "tcp-stringlf-no", peer: greets("hello fe\r\n"), rules: "option tcp-check\ntcp-check set-var(check.x) str(be)\ntcp-check expect string-lf \"hello %[var(check.x)]\""},
	{name: "tcp-binarylf-no", peer: greets("hello fe\r\n"), rules: "option tcp-check\ntcp-check set-var(check.x) str(3030)\ntcp-check expect binary-lf \"40%[var(check.x)]\""},
	{name: "tcp-closing", peer: closing, rules: "option tcp-check\ntcp-check expect string +OK"},
	{name: "tcp-silent", peer: silent, rules: "option tcp-check\ntcp-check expect string +OK"},
	{name: "tcp-silent-comment", peer: silent, rules: "option tcp-check\ntcp-check connect\ntcp-check comment waiting\ntcp-check expect string +OK"},
	{name: "tcp-reset", peer: resetting, rules: "option tcp-check\ntcp-check send x\ntcp-check expect string +OK"},
	{name: "tcp-redis", peer: dialogue("+PONG\r\n", "role:slave\r\n", "+OK\r\n"), rules: "option tcp-check\ntcp-check connect\ntcp-check send PING\\r\\n\ntcp-check expect string +PONG\ntcp-check send info\\ replication\\r\\n\ntcp-check expect string role:master comment \"is master\"\ntcp-check send QUIT\\r\\n\ntcp-check expect string +OK"},
	{name: "tcp-redis-ok", peer: dialogue("+PONG\r\n", "role:master\r\n", "+OK\r\n"), rules: "option tcp-check\ntcp-check connect\ntcp-check send PING\\r\\n\ntcp-check expect string +PONG\ntcp-check send info\\ replication\\r\\n\ntcp-check expect string role:master comment \"is master\"\ntcp-check send QUIT\\r\\n\ntcp-check expect string +OK"},
	{name: "tcp-two-connects", peer: greets("a"), rules: "option tcp-check\ntcp-check connect\ntcp-check expect string a\ntcp-check connect linger\ntcp-check expect string b comment second"},
	{name: "tcp-expect-twice", peer: greets("aabb"), rules: "option tcp-check\ntcp-check connect\ntcp-check expect string aa\ntcp-check expect string bb"},
	{name: "tcp-on-success", peer: greets("aabb"), rules: "option tcp-check\ntcp-check connect\ntcp-check expect on-success \"got it\" string aa"},
	{name: "tcp-on-error", peer: greets("aabb"), rules: "option tcp-check\ntcp-check connect\ntcp-check expect on-error \"want %[str(cc),upper]\" error-status L4CON string cc"},
	{name: "tcp-status-code", peer: greets("200 fine"), rules: "option tcp-check\ntcp-check connect\ntcp-check expect status-code \"res.payload(0,3)\" string fine"},
	{name: "tcp-nodata-long", peer: greets(strings.Repeat("x", 20000)), rules: "option tcp-check\ntcp-check expect string y"},
	{name: "tcp-sendlf", peer: dialogue("hello abc\r\n"), rules: "option tcp-check\ntcp-check connect\ntcp-check send-lf \"x%[str(a)]\\r\\n\"\ntcp-check expect string abc"},
	{name: "tcp-sendlf-empty", peer: dialogue("hello abc\r\n"), rules: "option tcp-check\ntcp-check connect\ntcp-check send-lf \"%[var(check.nothing)]\"\ntcp-check expect string abc"},
	{name: "redis-ok", peer: answers("+PONG\r\n"), rules: "option redis-check"},
	{name: "redis-no", peer: answers("-NOAUTH Authentication required.\r\n"), rules: "option redis-check",
		ours: `failed, reason: Layer7 wrong status, code: 0, info: "-NOAUTH Authentication required.", check duration: -, status: 0/2 DOWN.`},
	{name: "redis-short", peer: answers("-N"), rules: "option redis-check"},
	{name: "redis-refused", peer: nil, rules: "option redis-check"},
	{name: "redis-silent", peer: silent, rules: "option redis-check"},
	{name: "smtp-ok", peer: greets("220 mail ready\r\n", "250 hi\r\n", "221 bye\r\n"), rules: "option smtpchk"},
	{name: "smtp-ehlo", peer: greets("220 mail ready\r\n", "250-hi\r\n250-SIZE\r\n250 OK\r\n", "221 bye\r\n"), rules: "option smtpchk EHLO my.domain"},
	{name: "smtp-554", peer: greets("554 go away\r\n"), rules: "option smtpchk"},
	{name: "smtp-502", peer: greets("220 mail\r\n", "502 no helo\r\n"), rules: "option smtpchk",
		ours: `failed, reason: Layer7 wrong status, code: 502, info: "no helo", check duration: -, status: 0/2 DOWN.`},
	{name: "smtp-garbage", peer: greets("hello there\r\n"), rules: "option smtpchk"},
	{name: "smtp-multi", peer: greets("220-one\r\n220 two\r\n", "250 ok\r\n", "221 bye\r\n"), rules: "option smtpchk"},
	{name: "smtp-2x", peer: greets("2xx what\r\n"), rules: "option smtpchk"},
	{name: "smtp-half", peer: greets("220 mail\r\n", "250-never ends\r\n"), rules: "option smtpchk"},
	{name: "smtp-close", peer: func(c net.Conn) { io.WriteString(c, "220 x\r\n"); c.Read(make([]byte, 100)) }, rules: "option smtpchk"},
	{name: "smtp-quit-silent", peer: greets("220 mail ready\r\n", "250 hi\r\n"), rules: "option smtpchk"},
	{name: "smtp-long", peer: greets("220 "+strings.Repeat("mail ", 80)+"\r\n", "250 "+strings.Repeat("abcdefghi ", 30)+"\r\n", "221 bye "+strings.Repeat("abcdefghi ", 30)+"\r\n"), rules: "option smtpchk"},
	{name: "ldap-ok", peer: answers(raw("300c02010161070a010004000400")), rules: "option ldap-check"},
	{name: "ldap-bad", peer: answers(raw("300c020101610 70a013104000400")), rules: "option ldap-check"},
	{name: "ldap-notldap", peer: answers("hello ldap server"), rules: "option ldap-check"},
	{name: "ldap-notbind", peer: answers(raw("300c02010163070a010004000400")), rules: "option ldap-check"},
	{name: "ldap-long", peer: answers(raw("308200000c02010161070a010004000400")), rules: "option ldap-check"},
	{name: "ldap-long2", peer: answers(raw("30840000000c02010161070a010004000400")), rules: "option ldap-check"},
	{name: "ssl-hello-ok", peer: answers(raw("1603000002 0200 0000 0000")), rules: "option ssl-hello-chk"},
	{name: "ssl-hello-alert", peer: answers(raw("15030000020228")), rules: "option ssl-hello-chk"},
	{name: "ssl-hello-text", peer: answers("HTTP/1.0 400 no\r\n\r\n"), rules: "option ssl-hello-chk"},
	{name: "spop-ok", peer: answers(raw("00000047 65 00000001 00 00 07 76657273696f6e 08 03 312e30") + "\x0emax-frame-size\x03\xfc\xf0\x06" + "\x0ccapabilities\x08\x0apipelining"), rules: "option spop-check"},
	{name: "spop-bad", peer: answers(raw("00000004 68 000001")), rules: "option spop-check"},
	{name: "mysql-nouser", peer: greets(mariadb), rules: "option mysql-check"},
	{name: "mysql-ok", peer: greets(mariadb, packet(2, "\x00\x00\x00\x02\x00\x00\x00")), rules: "option mysql-check user ha"},
	{name: "mysql-ok-pre41", peer: greets(mariadb, packet(2, "\x00\x00\x00\x02\x00\x00\x00")), rules: "option mysql-check user ha pre-41"},
	{name: "mysql-denied", peer: greets(mariadb, packet(2, "\xff\x15\x04#28000Access denied for user")), rules: "option mysql-check user ha"},
	{name: "mysql-switch", peer: greets(mariadb, packet(2, "\xfemysql_native_password\x00abcdefgh")), rules: "option mysql-check user ha"},
	{name: "mysql-blocked", peer: greets(packet(0, "\xff\x6a\x04Host is blocked")), rules: "option mysql-check user ha"},
	{name: "mysql-blocked-nouser", peer: greets(packet(0, "\xff\x6a\x04Host is blocked")), rules: "option mysql-check"},
	{name: "mysql-other", peer: greets(packet(0, "hello world")), rules: "option mysql-check user ha",
		ours: `failed, reason: Layer7 invalid response, check duration: -, status: 0/2 DOWN.`},
	{name: "mysql-noversion", peer: greets(packet(0, "\x0a"+strings.Repeat("x", 70))), rules: "option mysql-check user ha",
		ours: `failed, reason: Layer7 invalid response, check duration: -, status: 0/2 DOWN.`},
	{name: "mysql-garbage", peer: greets("HTTP/1.0 200 OK\r\n\r\n"), rules: "option mysql-check user ha"},
	{name: "mysql-short", peer: greets("\x0a"), rules: "option mysql-check user ha"},
	{name: "mysql-silent", peer: silent, rules: "option mysql-check user ha"},
	{name: "mysql-half", peer: greets(mariadb), rules: "option mysql-check user ha"},
	{name: "mysql-closes", peer: readsAndCloses, rules: "option mysql-check user ha"},
	{name: "pgsql-ok", peer: answers("R\x00\x00\x00\x0c\x00\x00\x00\x05salt"), rules: "option pgsql-check user ha"},
	{name: "pgsql-error", peer: answers("E\x00\x00\x00\x2cSFATAL\x00C28000\x00Mno pg_hba.conf entry\x00\x00"), rules: "option pgsql-check user ha"},
	{name: "pgsql-error-short", peer: answers("E\x00\x00\x00\x08abc\x00"), rules: "option pgsql-check user ha"},
	{name: "pgsql-garbage", peer: answers("HTTP/1.0 400 no\r\n\r\n"), rules: "option pgsql-check user ha"},
	{name: "pgsql-short", peer: answers("R\x00"), rules: "option pgsql-check user ha"},
	{name: "pgsql-trust", peer: answers("R\x00\x00\x00\x08\x00\x00\x00\x00"), rules: "option pgsql-check user ha"},
	{name: "pgsql-closes", peer: readsAndCloses, rules: "option pgsql-check user ha"},
	{name: "ldap-closes", peer: readsAndCloses, rules: "option ldap-check"},
	{name: "ssl-hello-closes", peer: readsAndCloses, rules: "option ssl-hello-chk"},
	{name: "ssl-hello-silent", peer: silent, rules: "option ssl-hello-chk"},
	{name: "spop-closes", peer: readsAndCloses, rules: "option spop-check"},
	{name: "redis-closes", peer: readsAndCloses, rules: "option redis-check"},
	{name: "http-closes", peer: readsAndCloses, rules: "option httpchk"},
	{name: "http-closes-comment", peer: readsAndCloses, rules: "option httpchk\nhttp-check expect string x comment why"},
	{name: "tcp-closes", peer: readsAndCloses, rules: "option tcp-check\ntcp-check send x\ntcp-check expect string y"},
	{name: "tls-ok", peer: encrypted(silent), server: "check-ssl verify none"},
	{name: "tls-silent", peer: silent, server: "check-ssl verify none"},
	{name: "tls-text", peer: greets("hello there this is not tls\r\n"), server: "check-ssl verify none"},
	{name: "tls-closes", peer: readsAndCloses, server: "check-ssl verify none"},
	{name: "tls-alert", peer: answers("\x15\x03\x01\x00\x02\x02\x28"), server: "check-ssl verify none"},
	{name: "tls-http", peer: encrypted(answers(ok200)), rules: "option httpchk GET /", server: "check-ssl verify none"},
	{name: "tls-rule", peer: encrypted(silent), rules: "option tcp-check\ntcp-check connect ssl", server: "check-ssl verify none"},
	{name: "tls-rule-closes", peer: readsAndCloses, rules: "option tcp-check\ntcp-check connect ssl\ntcp-check send x", server: "check-ssl verify none"},
	{name: "tls-rule-silent", peer: silent, rules: "option tcp-check\ntcp-check connect ssl comment door\ntcp-check send x", server: "check-ssl verify none"},
	{name: "tls-not-by-default", peer: silent, rules: "option tcp-check\ntcp-check connect", server: "check-ssl verify none"},
	{name: "tls-default", peer: silent, rules: "option tcp-check\ntcp-check connect default", server: "check-ssl verify none"},
	{name: "tcp-comment-nomatch", peer: readsAndSays("nothing"), rules: "option tcp-check\ntcp-check send x\ntcp-check expect string y comment why"},
	{name: "tcp-comment-onerror", peer: readsAndSays("nothing"), rules: "option tcp-check\ntcp-check send x\ntcp-check expect on-error \"sad %[str(a),upper]\" string y comment why"},
	{name: "tcp-hex-code", peer: readsAndSays("nothing"), rules: "option tcp-check\ntcp-check send x\ntcp-check expect status-code int(12) error-status L7STS string y"},
	{name: "http-chunked", peer: answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n"), rules: "option httpchk\nhttp-check expect string cde"},
	{name: "http-chunked-no", peer: answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), rules: "option httpchk\nhttp-check expect string cde"},
	{name: "http-long-body", peer: answers("HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n" + strings.Repeat("x", 40000)), rules: "option httpchk\nhttp-check expect string cde"},
	{name: "http-head", peer: answers("HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"), rules: "option httpchk HEAD / HTTP/1.1\nhttp-check send hdr Host a"},
	{name: "http-bare-lf", peer: answers("HTTP/1.1 200 OK\nContent-Length: 0\n\n"), rules: "option httpchk"},
	{name: "http-two-lengths", peer: answers("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"), rules: "option httpchk"},
	{name: "http-bad-header", peer: answers("HTTP/1.1 200 OK\r\nBad Header: 1\r\n\r\nab"), rules: "option httpchk"},
	{name: "http-lower", peer: answers("http/1.1 200 OK\r\n\r\nab"), rules: "option httpchk"},
	{name: "http-2", peer: answers("HTTP/2.0 200 OK\r\n\r\nab"), rules: "option httpchk"},
	{name: "http-short-code", peer: answers("HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"), rules: "option httpchk"},
	{name: "http-quotes", peer: answers("HTTP/1.1 500 It \"broke\" <here>\r\nContent-Length: 0\r\n\r\n"), rules: "option httpchk"},
	{name: "agent-up", peer: greets("up\n"), server: "weight 10 agent-check agent-inter 1500ms agent-port $PORT"},
	{name: "agent-down", peer: greets("down\n"), server: "weight 10 agent-check agent-inter 1500ms agent-port $PORT"},
	{name: "agent-UP", peer: greets("UP\r\n"), server: "weight 10 agent-check agent-inter 1500ms agent-port $PORT"},
	{name: "agent-fail", peer: greets("fail # hm\n"), server: "weight 10 agent-check agent-inter 1500ms agent-port $PORT"},
	{name: "agent-stopped", peer: greets("stopped\n"), server: "weight 10 agent-check agent-inter 1500ms agent-port $PORT"},
	{name: "agent-all", peer: greets("up 75% maxconn:5\n"), server: "weight 10 agent-check agent-inter 1500ms agent-port $PORT"},
	{name: "agent-ready", peer: greets("ready,up,50%\r\nmore"), server: "weight 10 agent-check agent-inter 1500ms agent-port $PORT"},
	{name: "agent-maint", peer: greets("maint\n"), server: "weight 10 agent-check agent-inter 1500ms agent-port $PORT"},
	{name: "agent-drain", peer: greets("drain\n"), server: "weight 10 agent-check agent-inter 1500ms agent-port $PORT"},
	{name: "agent-silent", peer: greets(""), server: "weight 10 agent-check agent-inter 1500ms agent-port $PORT"},
	{name: "agent-asked", peer: dialogue("up\n"), server: "agent-check agent-inter 1500ms agent-send hi\\n agent-port $PORT"},
	{name: "agent-refused", peer: nil, server: "agent-check agent-inter 1500ms agent-port $PORT"},
	{name: "h2-ok", peer: second(200, ""), rules: "option httpchk GET /\nhttp-check send ver HTTP/2.0 hdr host a", server: "check-proto h2"},
	{name: "h2-503", peer: second(503, ""), rules: "option httpchk GET /\nhttp-check send ver HTTP/2.0 hdr host a", server: "check-proto h2"},
	{name: "h2-body", peer: second(200, "hello"), rules: "option httpchk GET /\nhttp-check expect string ell", server: "check-proto h2"},
	{name: "h2-body-no", peer: second(200, "hello"), rules: "option httpchk GET /\nhttp-check expect string nope", server: "check-proto h2"},
	{name: "h2-rule", peer: second(204, ""), rules: "option httpchk\nhttp-check connect proto h2\nhttp-check send meth GET uri / ver HTTP/2.0 hdr host a"},
	{name: "h2-not", peer: answers(ok200), rules: "option httpchk", server: "check-proto h2",
		ours: `failed, reason: Layer7 invalid response, check duration: -, status: 0/2 DOWN.`},
	{name: "h2-closes", peer: readsAndCloses, rules: "option httpchk", server: "check-proto h2",
		ours: `failed, reason: Layer7 invalid response, check duration: -, status: 0/2 DOWN.`},
	{name: "h2-silent", peer: silent, rules: "option httpchk", server: "check-proto h2"},
	{name: "h2-alpn", peer: encrypted(second(200, ""), "h2"), rules: "option httpchk", server: "check-ssl verify none check-alpn h2"},
	{name: "h2-alpn-h1", peer: encrypted(answers(ok200), "http/1.1"), rules: "option httpchk", server: "check-ssl verify none check-alpn h2,http/1.1"},
	// What clustercheck says of a Galera node.
	{name: "galera-synced", peer: answersAndCloses("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: 40\r\n\r\nPercona XtraDB Cluster Node is synced.\r\n"), rules: "option httpchk"},
	{name: "galera-donor", peer: answersAndCloses("HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: 44\r\n\r\nPercona XtraDB Cluster Node is not synced.\r\n"), rules: "option httpchk"},
	{name: "galera-readonly", peer: answersAndCloses("HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: 43\r\n\r\nPercona XtraDB Cluster Node is read-only.\r\n"), rules: "option tcp-check\ntcp-check send GET\\ /\\ HTTP/1.0\\r\\n\\r\\n\ntcp-check expect string is\\ synced"},
}
