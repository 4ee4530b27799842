package vrrp

import (
	"slices"

	"herald/vrrp/settings"
)

// sysctls are the values of interfaces the loop changed.
type sysctls struct {
	before []settings.Sysctl // to be set again at the end
	index  map[string]int    // of the interfaces as they were set
}

// setSysctls sets what the configuration needs on interfaces that are new
// since the last time. What an older configuration set and this one does not
// is set back.
func (s *Server) setSysctls() {
	if s.ports.Sysctls == nil {
		return
	}
	wanted := s.cfg.Sysctls()
	same := func(a settings.Sysctl) func(settings.Sysctl) bool {
		return func(b settings.Sysctl) bool { return a.Device == b.Device && a.Name == b.Name }
	}
	s.sysctls.before = slices.DeleteFunc(s.sysctls.before, func(old settings.Sysctl) bool {
		if slices.ContainsFunc(wanted, same(old)) {
			return false
		}
		s.setSysctl(old, func(string) {})
		return true
	})
	fresh := map[string]int{}
	for _, w := range wanted {
		i, exists := s.snap[w.Device]
		if w.Device == "" { // the host's own
			i.Index, exists = -1, true
		}
		if !exists || s.sysctls.index[w.Device] == i.Index {
			continue
		}
		fresh[w.Device] = i.Index
		s.setSysctl(w, func(before string) {
			if before != "" && before != w.Value && !slices.ContainsFunc(s.sysctls.before, same(w)) {
				s.sysctls.before = append(s.sysctls.before, settings.Sysctl{Device: w.Device, Name: w.Name, Value: before})
				s.changed, s.heldNow = true, true
			}
		})
	}
	if s.sysctls.index == nil {
		s.sysctls.index = map[string]int{}
	}
	for device, index := range fresh {
		s.sysctls.index[device] = index
	}
}

func (s *Server) setSysctl(v settings.Sysctl, then func(before string)) {
	port := s.ports.Sysctls
	s.hands.do(func(Kernel) func() {
		before, err := port.SetSysctl(v)
		return func() {
			if err != nil {
				s.log.Warn(err.Error())
			}
			then(before)
		}
	})
}

// endSysctls sets everything back, once.
func (s *Server) endSysctls() {
	for _, old := range s.sysctls.before {
		s.setSysctl(old, func(string) {})
	}
	if len(s.sysctls.before) > 0 {
		s.sysctls.before, s.heldNow = nil, true
	}
}
