package settings

import "time"

// LinkDelay is how long a change of an interface's link has to last before
// instances believe it (keepalived.conf(5), interface_up_down_delays).
type LinkDelay struct {
	Interface string
	Down, Up  time.Duration
}
