package checks_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// program finds a program of a package, also where Debian keeps those that are
// not for everybody's PATH.
func program(t *testing.T, name, deb string) string {
	t.Helper()
	for _, dir := range []string{"", "/usr/sbin/", "/usr/lib/postgresql/15/bin/"} {
		if path, err := exec.LookPath(dir + name); err == nil {
			return path
		}
	}
	t.Skipf("%s is not installed (package %s; make test-servers installs it)", name, deb)
	return ""
}

// freePort is a port nobody listens on now.
func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// start runs a server until the test ends and waits until it accepts.
func start(t *testing.T, port string, as string, env []string, argv ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: account(t, as)}
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.Dir = "/"
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-ended
		}
		cancel()
	})
	at := "127.0.0.1:" + port
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); {
		if c, err := net.Dial("tcp", at); err == nil {
			c.Close()
			return at
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s ended: %v\n%s", argv[0], err, said.String())
		case <-time.After(100 * time.Millisecond):
		}
	}
	t.Fatalf("%s does not listen", argv[0])
	return ""
}

// account is what a server that refuses to be root runs as.
func account(t *testing.T, name string) *syscall.Credential {
	if name == "" || os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		t.Skipf("there is no user %s", name)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// home is a directory the account may write.
func home(t *testing.T, name string) string {
	dir, err := os.MkdirTemp("/tmp", "herald-checks-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if c := account(t, name); c != nil {
		if err := os.Chown(dir, int(c.Uid), int(c.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// both checks real servers with HAProxy and herald, and wants the outcomes.
func both(t *testing.T, at string, rules map[string]string, want map[string]string) {
	t.Helper()
	var list []scenario
	where := map[string]string{}
	for name, r := range rules {
		list = append(list, scenario{name: name, rules: r})
		where[name] = at
	}
	ours := herald(t, logAll, list, where)
	for name, w := range want {
		if got := ours.got(name); !strings.HasPrefix(got, w) {
			t.Errorf("%s: got %q, want %q", name, got, w)
		}
	}
	if _, err := exec.LookPath("haproxy"); err != nil {
		return
	}
	theirs := haproxy(t, logAll, list, where)
	for name := range want {
		if got, want := ours.got(name), theirs.got(name); got != want {
			t.Errorf("%s:\n got     %s\n HAProxy %s", name, got, want)
		}
	}
}

const l7ok = "succeeded, reason: Layer7 check passed"

func TestARealRedis(t *testing.T) {
	bin := program(t, "redis-server", "redis-server")
	port := freePort(t)
	at := start(t, port, "", nil, bin, "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir())
	sentinel := "option tcp-check\ntcp-check connect\ntcp-check send PING\\r\\n\ntcp-check expect string +PONG\n" +
		"tcp-check send info\\ replication\\r\\n\ntcp-check expect string role:%s\ntcp-check send QUIT\\r\\n\ntcp-check expect string +OK"
	both(t, at, map[string]string{"redis": "option redis-check", "master": fmt.Sprintf(sentinel, "master"), "slave": fmt.Sprintf(sentinel, "slave")},
		map[string]string{"redis": l7ok + `, code: 0, info: "Redis server is ok"`, "master": l7ok, "slave": `failed, reason: Layer7 timeout, info: " at step 5 of tcp-check (expect string 'role:slave')"`})
}

func TestARealMariaDB(t *testing.T) {
	bin, install := program(t, "mariadbd", "mariadb-server"), program(t, "mariadb-install-db", "mariadb-server")
	dir, port := home(t, ""), freePort(t)
	data := filepath.Join(dir, "data")
	if out, err := exec.Command(install, "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal", "--skip-test-db", "--user=root").CombinedOutput(); err != nil {
		t.Fatalf("mariadb-install-db: %v\n%s", err, out)
	}
	first := filepath.Join(dir, "first.sql")
	// A node that Galera has taken out of writing is read-only: the login goes on.
	if err := os.WriteFile(first, []byte("CREATE USER 'ha'@'%';\nCREATE USER 'locked'@'%' IDENTIFIED BY 'secret';\nSET GLOBAL read_only=1;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := start(t, port, "", nil, bin, "--no-defaults", "--datadir="+data, "--port="+port, "--bind-address=127.0.0.1", "--socket="+filepath.Join(dir, "s"),
		"--user=root", "--innodb-buffer-pool-size=8M", "--init-file="+first, "--skip-name-resolve")
	both(t, at, map[string]string{"user": "option mysql-check user ha", "old": "option mysql-check user ha pre-41", "nobody": "option mysql-check", "stranger": "option mysql-check user stranger"},
		map[string]string{"user": l7ok, "old": "", "nobody": l7ok, "stranger": `failed, reason: Layer7 wrong status, code: 1045, info: "#28000Access denied for user 'stranger'@'127.0.0.1' (using password: NO)"`})
}

func TestARealPostgreSQL(t *testing.T) {
	bin, initdb := program(t, "postgres", "postgresql"), program(t, "initdb", "postgresql")
	dir, port := home(t, "postgres"), freePort(t)
	cmd := exec.Command(initdb, "-D", filepath.Join(dir, "data"), "-A", "trust", "-N")
	cmd.SysProcAttr, cmd.Dir = &syscall.SysProcAttr{Credential: account(t, "postgres")}, "/"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	at := start(t, port, "postgres", nil, bin, "-D", filepath.Join(dir, "data"), "-p", port, "-h", "127.0.0.1", "-k", dir)
	// It listens before it serves, and says in the last line of its file when it does.
	for deadline := time.Now().Add(60 * time.Second); ; <-time.After(50 * time.Millisecond) {
		state, _ := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
		if strings.HasSuffix(strings.TrimSpace(string(state)), "ready") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("it never serves: %q", state)
		}
	}
	both(t, at, map[string]string{"user": "option pgsql-check user postgres", "stranger": "option pgsql-check user stranger"},
		map[string]string{"user": l7ok + `, code: 0, info: "PostgreSQL server is ok"`, "stranger": ""})
}

func TestARealMailServer(t *testing.T) {
	bin := program(t, "smtpd", "opensmtpd")
	if os.Geteuid() != 0 {
		t.Skip("smtpd needs root")
	}
	port := freePort(t)
	conf := filepath.Join(home(t, ""), "smtpd.conf")
	if err := os.WriteFile(conf, []byte("listen on 127.0.0.1 port "+port+"\naction a relay\nmatch from local for any action a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := start(t, port, "", nil, bin, "-d", "-f", conf)
	both(t, at, map[string]string{"helo": "option smtpchk", "ehlo": "option smtpchk EHLO lb.example"},
		map[string]string{"helo": l7ok + ", code: 221", "ehlo": l7ok + ", code: 221"})
}

func TestARealLDAPServer(t *testing.T) {
	bin := program(t, "slapd", "slapd")
	dir, port := home(t, ""), freePort(t)
	conf := filepath.Join(dir, "slapd.conf")
	text := "pidfile " + dir + "/pid\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	at := start(t, port, "", nil, bin, "-h", "ldap://127.0.0.1:"+port, "-f", conf, "-d", "0")
	both(t, at, map[string]string{"bind": "option ldap-check"}, map[string]string{"bind": l7ok + `, code: 0, info: "Success"`})
}

func TestARealRabbitMQ(t *testing.T) {
	bin := program(t, "rabbitmq-server", "rabbitmq-server")
	port, dist := freePort(t), freePort(t)
	if _, err := user.Lookup("rabbitmq"); err != nil {
		t.Skip("there is no user rabbitmq")
	}
	dir, mapper := home(t, "rabbitmq"), freePort(t)
	at := start(t, port, "rabbitmq", []string{"HOME=" + dir, "RABBITMQ_NODENAME=herald" + port + "@localhost", "RABBITMQ_NODE_IP_ADDRESS=127.0.0.1", "RABBITMQ_NODE_PORT=" + port,
		"RABBITMQ_DIST_PORT=" + dist, "RABBITMQ_MNESIA_BASE=" + dir, "RABBITMQ_LOG_BASE=" + dir, "RABBITMQ_ENABLED_PLUGINS_FILE=" + dir + "/plugins", "ERL_EPMD_PORT=" + mapper, "RABBITMQ_PID_FILE=" + dir + "/pid"}, bin)
	t.Cleanup(func() { // the node leaves the script's process group, and Erlang's port mapper outlives the node
		stopByFile(filepath.Join(dir, "pid"))
		kill := exec.Command("epmd", "-port", mapper, "-kill")
		if out, err := kill.CombinedOutput(); err != nil {
			t.Logf("epmd: %v\n%s", err, out)
		}
	})
	amqp := "option tcp-check\ntcp-check connect\ntcp-check send-binary 414d515000000901\ntcp-check expect binary 0100000000"
	both(t, at, map[string]string{"amqp": amqp, "plain": "option tcpka"}, map[string]string{"amqp": l7ok, "plain": "succeeded, reason: Layer4 check passed"})
}

// stopByFile ends the process a file names, and waits until it has gone.
func stopByFile(name string) {
	b, err := os.ReadFile(name)
	if err != nil {
		return
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return
	}
	for i := 0; i < 100 && syscall.Kill(pid, syscall.SIGKILL) == nil; i++ {
		<-time.After(100 * time.Millisecond)
	}
}
