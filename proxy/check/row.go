package check

import (
	"time"

	"herald/stats"
)

// Fill writes what the state says of a server into its row of statistics. It
// leaves CheckRunning, the weights and the address to the caller.
func (s State) Fill(c Config, now time.Time, row *stats.Row) {
	row.Status = s.Status(c)
	row.LastChange = int64(now.Sub(s.Since) / time.Second)
	row.Downtime = int64(s.Downtime(now) / time.Second)
	row.IsBackup = c.Backup
	row.Active, row.Backup = 1, 0
	if c.Backup {
		row.Active, row.Backup = 0, 1
	}
	row.Checked = c.Enabled && !s.Off
	row.CheckPaused = s.inMaint()
	row.CheckFails, row.CheckDowns = s.Fails, s.Downs
	row.CheckStatus = s.Last.Status.String()
	row.CheckDesc = s.Last.Status.Description()
	row.CheckCode, row.CheckCoded = 0, statuses[s.Last.Status].coded
	if row.CheckCoded {
		row.CheckCode = s.Last.Code
	}
	row.LastCheck = s.Last.Info
	row.CheckDuration = -1
	if s.Checks > 0 {
		row.CheckDuration = s.Last.Duration.Milliseconds()
	}
	row.CheckRise, row.CheckFall, row.CheckHealth = c.Rise, c.Fall, s.Health

	row.AgentChecked = s.AgentChecking(c)
	row.AgentStatus, row.AgentDesc = s.Agent.Last.Status.String(), s.Agent.Last.Status.Description()
	row.AgentCode, row.AgentCoded = s.Agent.Last.Code, statuses[s.Agent.Last.Status].coded
	row.LastAgent, row.AgentDuration = s.Agent.Last.Info, -1
	if s.Agent.Checks > 0 {
		row.AgentDuration = s.Agent.Last.Duration.Milliseconds()
	}
	row.AgentRise, row.AgentFall, row.AgentHealth = 1, 1, s.Agent.Health
	row.Server.AgentState = s.agentBits(c)
	row.Server.OpState = int(s.Op)
	row.Server.AdminState = int(s.Admin)
	row.Server.CheckStatus = statuses[s.Last.Status].number
	row.Server.CheckResult = int(statuses[s.Last.Status].verdict)
	row.Server.CheckState = s.checkBits(c)
}

// checkBits is the srv_check_state of `show servers state`: configured 2,
// enabled 4, paused 8.
func (s State) checkBits(c Config) int {
	bits := 0
	if c.Enabled {
		bits |= 2
	}
	if c.Enabled && !s.Off {
		bits |= 4
	}
	if s.Admin&(Maint|MaintByLead) != 0 && (c.Enabled && !s.Off || s.Admin&ConfigMaint != 0) {
		bits |= 8
	}
	return bits
}
