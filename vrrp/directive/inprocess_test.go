package directive

import (
	"slices"
	"strings"
	"testing"

	"herald/config"
	"herald/config/block"
)

func TestQuestionsWhetherTheProxyRunsAreRecognised(t *testing.T) {
	for _, command := range []string{
		"killall -0 haproxy",
		"killall –0 haproxy",
		"/usr/bin/killall -0 haproxy",
		"killall -q -0 haproxy",
		"killall -0 -q haproxy",
		"killall -q0 haproxy",
		"killall --quiet -0 haproxy",
		"killall -s 0 haproxy",
		"killall -0 /usr/sbin/haproxy",
		"  killall   -0	haproxy ",
		"killall -0 haproxy >/dev/null 2>&1",
		"killall -0 haproxy &>/dev/null",
		"killall -0 haproxy > /dev/null 2> /dev/null",
		"killall -0 haproxy 2>&1 >> /var/log/x",
		"killall -0 haproxy || exit 1",
		"killall -0 haproxy 2>/dev/null && exit 0 || exit 1",
		"killall -0 haproxy; exit $?",
		"killall -0 haproxy;",
		"exec killall -0 haproxy",
		"timeout 2 killall -0 haproxy",
		"/usr/bin/timeout -k 1 killall -0 haproxy",
		"/bin/sh -c 'killall -0 haproxy'",
		`bash -c "pidof haproxy || exit 1"`,
		"pkill -0 haproxy",
		"pkill -0 -x haproxy",
		"pidof haproxy",
		"/sbin/pidof haproxy",
		"/bin/pidof -s haproxy",
		"pidof -x -o 1 /usr/sbin/haproxy",
		"pgrep haproxy",
		"pgrep -x haproxy",
		"pgrep -f haproxy",
		"pgrep -f '^/usr/sbin/haproxy -Ws'",
		"pgrep -u haproxy haproxy",
		"pgrep -F /run/haproxy.pid",
		"pgrep --quiet ^haproxy$",
		"pgrep -- haproxy",
		"kill -0 $(cat /var/run/haproxy.pid)",
		"/bin/kill -0 `cat /var/run/haproxy.pid`",
		`kill -0 "$(cat /var/run/haproxy/haproxy.pid)"`,
		"kill -0 $(</run/haproxy.pid)",
		"kill -s 0 $(pidof haproxy)",
		"kill -0 `pgrep haproxy` 2>/dev/null",
		"systemctl is-active haproxy",
		"systemctl -q is-active haproxy.service",
		"/usr/bin/systemctl status haproxy.service",
		"systemctl is-active --quiet haproxy",
		"systemctl --no-pager status haproxy",
		"service haproxy status",
		"/usr/sbin/service haproxy status",
		"/etc/init.d/haproxy status",
		"rc-service haproxy status",
		`echo "show info" | socat stdio /var/lib/haproxy/stats`,
		`/bin/echo 'show info' | /usr/bin/socat - UNIX-CONNECT:/run/haproxy/admin.sock`,
		`echo "show info" | socat unix-connect:/var/run/haproxy.sock stdio >/dev/null`,
		`echo -e "show info\n" | nc -U /run/haproxy.sock`,
		`printf 'show info\n' | ncat -NU /run/haproxy.sock`,
		`echo show info | socat stdio /run/haproxy.sock | grep -q Uptime`,
		`echo "show info;" | timeout 1 socat stdio /run/haproxy.sock`,
		"ps -C haproxy",
		"ps -C haproxy --no-headers",
		"ps aux | grep [h]aproxy",
		"ps -ef | grep -v grep | grep -q haproxy",
		`[ -n "$(pidof haproxy)" ]`,
		"test -d /proc/$(cat /run/haproxy.pid)",
		"/usr/bin/test -e /proc/`pidof haproxy`",
	} {
		if !asksForProxy(command) {
			t.Errorf("%s: want it answered in-process", command)
		}
	}
}

func TestOtherCommandsAreNotAnsweredInProcess(t *testing.T) {
	for _, command := range []string{
		"",
		"haproxy",
		"killall haproxy",
		"killall -9 haproxy",
		"killall -s 9 haproxy",
		"killall -HUP haproxy",
		"killall -0 nginx",
		"killall -0 haproxy nginx",
		"killall -0",
		"killall -s",
		"killall --wait -0 haproxy",
		"killall -0 haproxy && killall -0 nginx",
		"killall -0 haproxy && curl -f http://127.0.0.1/",
		"killall -0 haproxy || systemctl restart haproxy",
		"killall -0 haproxy || exit 0",
		"killall -0 haproxy || true",
		"killall -0 haproxy; true",
		"killall -0 haproxy &",
		"! killall -0 haproxy",
		"if killall -0 haproxy; then exit 0; fi",
		"sudo killall -0 haproxy",
		"/etc/keepalived/check_haproxy.sh",
		"/usr/local/bin/haproxy",
		"curl -f http://127.0.0.1:8080/haproxy",
		"pidof nginx",
		"pidof haproxy nginx",
		"pidof -Z haproxy",
		"pgrep nginx",
		"pgrep haproxy_exporter",
		"pgrep",
		"pgrep -F /run/nginx.pid",
		"pgrep -F",
		"pgrep -v haproxy",
		"kill -0 1234",
		"kill -9 $(cat /run/haproxy.pid)",
		"kill $(cat /run/haproxy.pid)",
		"kill -0 $(cat /run/nginx.pid)",
		"kill -0 $(cat /run/haproxy.pid",
		"kill -0 `cat /run/haproxy.pid",
		"kill -0 $(cat /run/haproxy.pid | head -1)",
		"kill -0 $(ls haproxy.pid)",
		"kill -0 $(cat haproxy.pid 'x)",
		"systemctl restart haproxy",
		"systemctl is-active nginx",
		"systemctl is-active haproxy nginx",
		"systemctl status",
		"service nginx status",
		"service haproxy restart",
		"/etc/init.d/haproxy restart",
		`echo "show stat" | socat stdio /run/haproxy.sock`,
		`echo "show info" | socat stdio /run/haproxy.sock | grep -v Uptime`,
		`echo "show info" | socat`,
		`echo "show info" | cat`,
		`echo "show info" | nc 127.0.0.1 9999`,
		`cat "show info" | socat stdio /run/haproxy.sock`,
		"ps aux",
		"ps -C nginx",
		"ps -C",
		"ps aux | grep nginx",
		"ps aux | grep -v haproxy",
		"ps aux | grep -v grep",
		"ps aux | grep haproxy | wc -l",
		"ps aux | grep haproxy | grep haproxy",
		"ls | grep haproxy",
		"a | b | c | d | e",
		"test -f /run/haproxy.pid",
		"[ 1 = 1 ]",
		"test -n haproxy",
		"/bin/sh /etc/check.sh",
		"sh -c 'killall -0 nginx'",
		"sh -c",
		"timeout 2",
		"docker exec haproxy true",
		"killall -0 haproxy < /dev/null",
		"killall -0 haproxy >",
		"killall -0 haproxy | ",
		"killall -0 'haproxy",
		`killall -0 "haproxy`,
		`killall -0 "$(haproxy`,
		"(killall -0 haproxy)",
		"| killall",
		";",
		"&& true",
	} {
		if asksForProxy(command) {
			t.Errorf("%s: want it run, not answered in-process", command)
		}
	}
}

func FuzzAsksForProxy(f *testing.F) {
	for _, s := range []string{"killall -0 haproxy", "kill -0 $(cat /run/haproxy.pid)", `sh -c "echo 'show info' | socat - /x" || exit 1`, "`", "$((", "\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if asksForProxy(s) && asksForProxy(s+" && reboot") {
			t.Errorf("%q with a command behind it is taken for a question", s)
		}
	})
}

// With keepalived's files alone herald stands beside a HAProxy of the
// distribution: its check means that one.
func TestWithoutAProxyOfItsOwnTheCommandIsRun(t *testing.T) {
	for _, foreign := range []bool{false, true} {
		var ds config.Diagnostics
		tree := block.Parse(text1("vrrp_script alive {\n script \"killall -0 haproxy\"\n}\n"), block.Options{Path: "k.conf"}, &ds)
		cfg := Build(tree, Options{ForeignProxy: foreign}, &ds)
		if len(cfg.Scripts) != 1 || cfg.Scripts[0].InProcess == foreign || !slices.Equal(cfg.Scripts[0].Argv, []string{"killall", "-0", "haproxy"}) {
			t.Errorf("foreign proxy %t: got %+v", foreign, cfg.Scripts)
		}
		if got := findings(&ds); strings.Contains(got, "is run as it stands") != foreign {
			t.Errorf("foreign proxy %t: got findings\n%s", foreign, got)
		}
	}
}
