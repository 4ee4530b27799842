package settings

import "time"

// LifeScript runs once in the life of the daemon (keepalived.conf(5),
// startup_script and shutdown_script).
type LifeScript struct {
	Command
	Timeout time.Duration // then it is ended; 10 s
}
