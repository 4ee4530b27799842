package privilege

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// attempt is what a process tries once it is confined.
type attempt struct {
	name string
	try  func() error
	// fine is the roles that may; the others are told EPERM or EACCES.
	fine string
}

// attempts are made as root with every capability, so that it is the
// confinement that refuses them.
var attempts = []attempt{
	{"read /etc/shadow", func() error { return openFile("/etc/shadow") }, "vrrp"},
	{"read a directory", func() error { _, err := os.ReadDir("/etc"); return err }, "vrrp"},
	{"write a file", func() error { return os.WriteFile(os.Getenv("PRIVILEGE_TEST_FILE"), []byte("x"), 0o600) }, "vrrp"},
	{"read the table of hosts", func() error { return openFile("/etc/hosts") }, "proxy vrrp"},
	{"run a program", func() error { return exec.Command("/bin/true").Run() }, ""},
	{"become a program", func() error { return unix.Exec("/bin/true", []string{"true"}, nil) }, ""},
	{"fork", func() error { return call(unix.SYS_CLONE, uintptr(unix.SIGCHLD)) }, ""},
	{"unshare", func() error { return unix.Unshare(unix.CLONE_NEWNET) }, ""},
	{"a user namespace", func() error { return unix.Unshare(unix.CLONE_NEWUSER) }, ""},
	{"enter a namespace", func() error { return unix.Setns(-1, 0) }, ""},
	{"mount", func() error { return unix.Mount("none", "/mnt", "tmpfs", 0, "") }, ""},
	{"ptrace", func() error { return call(unix.SYS_PTRACE, unix.PTRACE_TRACEME) }, ""},
	{"read another's memory", func() error { return call(unix.SYS_PROCESS_VM_READV, 1) }, ""},
	{"bpf", func() error { return call(unix.SYS_BPF, 0) }, ""},
	{"perf", func() error { return call(unix.SYS_PERF_EVENT_OPEN, 0) }, ""},
	{"keys", func() error { return call(unix.SYS_KEYCTL, 0) }, ""},
	{"load a module", func() error { return call(unix.SYS_INIT_MODULE, 0) }, ""},
	{"kexec", func() error { return call(unix.SYS_KEXEC_LOAD, 0) }, ""},
	{"personality", func() error { return call(unix.SYS_PERSONALITY, 0xffffffff) }, ""},
	{"io_uring", func() error { return call(unix.SYS_IO_URING_SETUP, 0) }, ""},
	{"become another user", func() error { return call(unix.SYS_SETUID, 65534) }, ""},
	{"signal another process", func() error { return unix.Kill(os.Getppid(), 0) }, ""},
	{"signal itself", func() error { return unix.Kill(os.Getpid(), 0) }, "proxy vrrp"},
	{"new code", func() error { return newCode() }, ""},
	{"listen", func() error { return listen() }, ""},
	{"a packet socket", func() error { return socket(unix.AF_PACKET, unix.SOCK_DGRAM) }, "vrrp"},
	{"a raw socket", func() error { return socket(unix.AF_INET, unix.SOCK_RAW) }, "vrrp"},
	{"a socket of the kernel's ciphers", func() error { return socket(unix.AF_ALG, unix.SOCK_SEQPACKET) }, ""},
	{"a netlink socket", func() error { return socket(unix.AF_NETLINK, unix.SOCK_RAW) }, "proxy vrrp"},
	{"a unix socket", func() error { return socket(unix.AF_UNIX, unix.SOCK_DGRAM) }, "proxy vrrp"},
	{"connect", func() error { return connect() }, "proxy vrrp"},
	{"threads and collections", func() error { return threads() }, "proxy vrrp"},
}

// waiting is where connect connects to.
var waiting net.Listener

func tryEverything(role string) int {
	var err error
	if waiting, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		fmt.Println(err)
		return 1
	}
	b := ProxyBounds()
	if role == "vrrp" {
		b = VRRPBounds()
	}
	c := Confine(b)
	fmt.Printf("holds=%s note=%s\n", c.Holds, c.Note)
	if os.Getenv(Switch) == "off" {
		return 0
	}
	for _, a := range attempts {
		err := a.try()
		word := "done"
		switch {
		case errors.Is(err, fs.ErrPermission): // EPERM and EACCES
			word = "refused"
		case err != nil:
			word = err.Error()
		}
		fmt.Printf("%s=%s\n", a.name, word)
	}
	return 0
}

func openFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return f.Close()
}

func call(trap uintptr, a ...uintptr) error {
	_, _, errno := unix.Syscall6(trap, append(a, 0)[0], 0, 0, 0, 0, 0)
	if errno == 0 {
		return nil
	}
	return errno
}

func socket(family, kind int) error {
	protocol := 0
	if family == unix.AF_INET {
		protocol = unix.IPPROTO_ICMP
	}
	fd, err := unix.Socket(family, kind, protocol)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

func newCode() error {
	if _, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_ANON|unix.MAP_PRIVATE); err != nil {
		page, err2 := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
		if err2 != nil {
			return err2
		}
		defer unix.Munmap(page)
		return unix.Mprotect(page, unix.PROT_READ|unix.PROT_EXEC)
	}
	return nil
}

func listen() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		l.Close()
	}
	return err
}

func connect() error {
	c, err := net.DialTimeout("tcp", waiting.Addr().String(), time.Minute)
	if err != nil {
		return err
	}
	return c.Close()
}

func threads() error {
	var ready, end sync.WaitGroup
	hold := make(chan struct{})
	for range 20 {
		ready.Add(1)
		end.Go(func() {
			runtime.LockOSThread()
			ready.Done()
			<-hold
		})
	}
	ready.Wait()
	runtime.GC()
	close(hold)
	end.Wait()
	return nil
}

// confined runs the attempts in a process that is within role's bounds.
func confined(t *testing.T, role string) map[string]string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, which nothing else refuses these things to")
	}
	if kept != "" {
		t.Skip(kept)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PRIVILEGE_TEST_BOUNDS="+role, "PRIVILEGE_TEST_FILE="+filepath.Join(t.TempDir(), "file"))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	said := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, word, _ := strings.Cut(strings.TrimSpace(line), "=")
		said[name] = word
	}
	if strings.Contains(said["holds"], "cgo") {
		t.Skip("needs a build without cgo")
	}
	if len(said) < len(attempts) {
		t.Fatalf("the process said %s", out)
	}
	return said
}

func TestAConfinedRoleIsRefusedWhatItDoesNotNeed(t *testing.T) {
	for _, role := range []string{"proxy", "vrrp"} {
		said := confined(t, role)
		if !strings.Contains(said["holds"], "seccomp") {
			t.Skipf("needs a kernel with seccomp: %s", said["holds"])
		}
		files := strings.Contains(said["holds"], "landlock")
		if !files && role == "proxy" {
			t.Log("no Landlock here: ", said["holds"])
		}
		for _, a := range attempts {
			want := "refused"
			switch {
			case strings.Contains(a.fine, role):
				want = "done"
			case a.fine == "vrrp" && !files && !strings.Contains(a.name, "socket"):
				continue
			}
			if got := said[a.name]; got != want {
				t.Errorf("%s: %s: got %q, want %q", role, a.name, got, want)
			}
		}
	}
}

func TestConfinementCanBeTurnedOff(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PRIVILEGE_TEST_BOUNDS=proxy", Switch+"=off")
	if kept != "" {
		t.Skip(kept)
	}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if strings.Contains(string(out), "cgo") {
		t.Skip("needs a build without cgo")
	}
	if want := "holds=no_new_privs note=not confined: HERALD_CONFINE is off\n"; string(out) != want {
		t.Errorf("got %q, want %q", out, want)
	}
}

// answered runs a filter over one system call.
func answered(t *testing.T, vm *bpf.VM, arch, number uint32, args ...uint64) uint32 {
	t.Helper()
	// The machine reads in network order, so each half of an argument is put
	// where a filter looks for it.
	data := make([]byte, 64)
	binary.BigEndian.PutUint32(data[offNumber:], number)
	binary.BigEndian.PutUint32(data[offArch:], arch)
	for i, a := range args {
		binary.BigEndian.PutUint32(data[offArgs+8*i:], uint32(a))
		binary.BigEndian.PutUint32(data[offArgs+8*i+4:], uint32(a>>32))
	}
	got, err := vm.Run(data)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(got)
}

func TestAFilterAnswersEveryNumberAsTheListSays(t *testing.T) {
	if audit == 0 || *(*byte)(unsafe.Pointer(&[]uint16{1}[0])) == 0 {
		t.Skip("not for this processor")
	}
	for _, b := range []Bounds{ProxyBounds(), VRRPBounds()} {
		a := refusals(b, 77)
		vm, err := bpf.NewVM(a.program())
		if err != nil {
			t.Fatal(err)
		}
		for n := range uint32(1000) {
			want := allow.Val
			switch list := a[n]; {
			case len(list) == 1:
				want = list[0].(bpf.RetConstant).Val
			case list != nil:
				continue
			}
			if got := answered(t, vm, audit, n); got != want {
				t.Errorf("call %d: got %#x, want %#x", n, got, want)
			}
		}
		raw := allow.Val
		if !b.Raw {
			raw = refuse.Val
		}
		for _, c := range []struct {
			what   string
			number uint32
			args   []uint64
			want   uint32
		}{
			{"a thread", unix.SYS_CLONE, []uint64{unix.CLONE_VM | unix.CLONE_THREAD | unix.CLONE_SIGHAND}, allow.Val},
			{"a process", unix.SYS_CLONE, []uint64{unix.CLONE_VM | unix.CLONE_VFORK}, refuse.Val},
			{"a process in a namespace", unix.SYS_CLONE, []uint64{unix.CLONE_NEWUSER}, refuse.Val},
			{"memory", unix.SYS_MMAP, []uint64{0, 4096, unix.PROT_READ | unix.PROT_WRITE}, allow.Val},
			{"code", unix.SYS_MPROTECT, []uint64{0, 4096, unix.PROT_READ | unix.PROT_EXEC}, refuse.Val},
			{"its own thread", unix.SYS_TGKILL, []uint64{77, 78, 23}, allow.Val},
			{"another process", unix.SYS_KILL, []uint64{78, 9}, refuse.Val},
			{"every process", unix.SYS_KILL, []uint64{0xffffffffffffffff, 9}, refuse.Val},
			{"typing", unix.SYS_IOCTL, []uint64{2, unix.TIOCSTI}, refuse.Val},
			{"pasting", unix.SYS_IOCTL, []uint64{2, unix.TIOCLINUX}, refuse.Val},
			{"the size of a queue", unix.SYS_IOCTL, []uint64{2, unix.SIOCINQ}, allow.Val},
			{"TCP over IPv6", unix.SYS_SOCKET, []uint64{unix.AF_INET6, unix.SOCK_STREAM | unix.SOCK_NONBLOCK}, allow.Val},
			{"a packet socket by the old name", unix.SYS_SOCKET, []uint64{unix.AF_INET, unix.SOCK_PACKET}, raw},
			{"a raw socket", unix.SYS_SOCKET, []uint64{unix.AF_INET6, unix.SOCK_RAW}, raw},
			{"another family", unix.SYS_SOCKET, []uint64{unix.AF_VSOCK, unix.SOCK_STREAM}, refuse.Val},
			{"another calling convention", foreign | unix.SYS_READ, nil, refuse.Val},
		} {
			if got := answered(t, vm, audit, c.number, c.args...); got != c.want {
				t.Errorf("%s: got %#x, want %#x", c.what, got, c.want)
			}
		}
		if got := answered(t, vm, unix.AUDIT_ARCH_I386, unix.SYS_READ); got != refuse.Val {
			t.Errorf("another architecture: got %#x", got)
		}
	}
}
