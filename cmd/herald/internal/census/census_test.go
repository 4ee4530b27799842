package census

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"herald/cmd/herald/internal/ipc"
)

// asChild makes the test's own binary a process to be counted, until its
// input ends.
const asChild = "CENSUS_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(asChild) != "" {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// child is a process that was started.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
}

// start starts the test's binary under a name of its own.
func start(t *testing.T, name string, params ...string) *child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.Link(self, path); err != nil { // another file system
		data, err := os.ReadFile(self)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c := &child{cmd: exec.Command(path, params...)}
	c.cmd.Args[0] = name
	c.cmd.Env = append(os.Environ(), asChild+"=1")
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.reap)
	return c
}

func (c *child) reap() {
	c.cmd.Process.Kill()
	c.in.Close()
	c.cmd.Wait()
}

// becomes waits until the numbers are so; steps between do not matter.
func becomes(t *testing.T, changes <-chan ipc.Counts, name string, want int) {
	t.Helper()
	for limit := time.After(20 * time.Second); ; {
		select {
		case n := <-changes:
			if n[name] == want {
				return
			}
		case <-limit:
			t.Fatalf("the number of %s never became %d", name, want)
		}
	}
}

// ways are the connector and the look through /proc.
var ways = map[string]func(uint32) (int, error){
	"connector": connect,
	"look":      func(uint32) (int, error) { return -1, errors.New("none here") },
}

func TestProcessesAreCountedAsTheyComeAndGo(t *testing.T) {
	for way, connect := range ways {
		t.Run(way, func(t *testing.T) {
			changes := make(chan ipc.Counts, 100)
			old := start(t, "heraldcensus"+way[:1])
			list := []ipc.Program{{Name: "name", Path: "heraldcensus" + way[:1]},
				{Name: "line", Path: "heraldcensus" + way[:1], Full: true, Params: []string{"a", "b"}, Match: "partial"}}
			c, now, err := take(list, func(n ipc.Counts) { changes <- n }, connect)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.Close)
			if now["name"] != 1 || now["line"] != 0 {
				t.Errorf("at first %v, want 1 and 0", now)
			}
			young := start(t, "heraldcensus"+way[:1], "a", "b", "c")
			becomes(t, changes, "line", 1)
			// Killed and not waited for: a zombie does not count.
			young.cmd.Process.Kill()
			becomes(t, changes, "line", 0)
			old.reap()
			becomes(t, changes, "name", 0)
			start(t, "heraldcensus"+way[:1])
			becomes(t, changes, "name", 1)
		})
	}
}

func TestTheConnectorAnswersWhereItIsToBeHad(t *testing.T) {
	fd, err := connect(1)
	if err != nil {
		t.Skipf("no process connector in this namespace: %v", err)
	}
	told := make(chan ipc.Counts, 100)
	c, _, err := take([]ipc.Program{{Name: "n", Path: "heraldcensusx"}}, func(n ipc.Counts) { told <- n }, func(uint32) (int, error) { return fd, nil })
	if err != nil {
		t.Fatal(err)
	}
	// Asked with another number, it speaks to somebody else.
	if c.Close(); c.connected {
		t.Error("the answer to another question was taken for ours")
	}
}

func TestWhatIsNoWordOfTheConnectorIsPassedOver(t *testing.T) {
	for _, b := range [][]byte{nil, make([]byte, headerSize), make([]byte, headerSize+eventSize+7)} {
		if _, ok := decode(b); ok {
			t.Errorf("%d bytes were taken for an event", len(b))
		}
	}
	short := make([]byte, headerSize+eventSize+8)
	short[headerSize] = happenedFork
	if _, ok := decode(short); ok {
		t.Error("half a fork was taken for one")
	}
}
