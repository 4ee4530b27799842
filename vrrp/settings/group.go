package settings

import "herald/config"

// Group is one vrrp_sync_group: instances that change state together. What
// the group tracks is in the tracks of its members.
type Group struct {
	Pos     config.Pos
	Name    string
	Members []string // Instance.Name; an instance is in one group only
	Notify  Notify
}
