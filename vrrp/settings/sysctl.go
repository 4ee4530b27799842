package settings

// Sysctl is one value of an interface, or of the host, below /proc/sys/net.
type Sysctl struct {
	Device string `json:"device"` // "" is the host
	// Name has a %s in the device's place: "ipv4/conf/%s/promote_secondaries".
	Name  string `json:"name"`
	Value string `json:"value"`
}

// PromoteSecondaries keeps the other addresses of a network when the first of
// them goes.
const PromoteSecondaries = "ipv4/conf/%s/promote_secondaries"

// Sysctls are what the instances of a configuration need, each once.
func (c *Config) Sysctls() []Sysctl {
	var list []Sysctl
	seen := map[Sysctl]bool{}
	add := func(s Sysctl) {
		if !seen[s] {
			seen[s] = true
			list = append(list, s)
		}
	}
	if c.NoLocalIGMP {
		add(NoLocalIGMP)
	}
	for _, in := range c.Instances {
		for _, s := range in.Sysctls {
			add(s)
		}
	}
	for _, v := range c.VirtualMACs() {
		for _, s := range v.ParentSysctls() {
			add(s)
		}
	}
	return list
}
