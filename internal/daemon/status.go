package daemon

import (
	"fmt"
	"os"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// Build says which build is running.
type Build struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Date    string `json:"date"`
}

// Status is what GET /v1/status answers. A client compares DB with its own
// index: a daemon of another index is none.
type Status struct {
	APIVersion    string          `json:"apiVersion"`
	Version       string          `json:"version"`
	PID           int             `json:"pid"`
	DB            string          `json:"db"`
	DorkHome      string          `json:"dorkHome"`
	Socket        string          `json:"socket"`
	ListenAddress *string         `json:"listenAddress"`
	StartedAt     controller.Time `json:"startedAt"`
	Ready         bool            `json:"ready"`
	LastSweep     *SweepStatus    `json:"lastSweep"`
	Agents        AgentCounts     `json:"agents"`
	Problems      ProblemCounts   `json:"problems"`
	NextRemovalAt controller.Time `json:"nextRemovalAt"`
	RelayDegraded bool            `json:"relayDegraded"`
	RelayDeferred int             `json:"relayDeferred"`
	Paused        bool            `json:"paused"`
}

// SweepStatus is the sweep that ended last.
type SweepStatus struct {
	Trigger         string          `json:"trigger"`
	Result          string          `json:"result"`
	EndedAt         controller.Time `json:"endedAt"`
	DurationSeconds float64         `json:"durationSeconds"`
}

// AgentCounts is how many agents are in which state.
type AgentCounts struct {
	Active      int `json:"active"`
	Unreachable int `json:"unreachable"`
	Unconverged int `json:"unconverged"`
	InGrace     int `json:"inGrace"`
	Held        int `json:"held"`
	Quarantined int `json:"quarantined"`
}

// ProblemCounts is how many manifests are refused, and why.
type ProblemCounts struct {
	Invalid    int `json:"invalid"`
	Unreadable int `json:"unreadable"`
	Duplicate  int `json:"duplicate"`
	Denied     int `json:"denied"`
}

func (p ProblemCounts) total() int { return p.Invalid + p.Unreadable + p.Duplicate + p.Denied }

// Status is how the daemon stands now.
func (d *Daemon) Status() Status {
	g, sweep := d.parts.metrics.last()
	c := d.config()
	s := Status{
		APIVersion: controller.APIVersion, Version: d.build.Version, PID: os.Getpid(),
		DB: c.DB, DorkHome: c.DorkHome, Socket: d.socketPath(),
		StartedAt: controller.Time(d.started), Ready: d.firstSweepDone(),
		Agents:        AgentCounts{g.Active, g.Unreachable, g.Unconverged, g.InGrace, g.Held, g.Quarantined},
		Problems:      ProblemCounts{g.Invalid, g.Unreadable, g.Duplicate, g.Denied},
		NextRemovalAt: controller.Time(g.NextRemoval),
		RelayDegraded: g.RelayDegraded, RelayDeferred: g.RelayDeferred, Paused: g.Paused,
	}
	if d.tcp != nil {
		a := d.tcp.Addr().String()
		s.ListenAddress = &a
	}
	if !sweep.Ended.IsZero() {
		s.LastSweep = &SweepStatus{sweep.Trigger, sweep.Result, controller.Time(sweep.Ended), sweep.Duration.Seconds()}
	}
	return s
}

// line is the status for systemd and for the plain page.
func (s Status) line() string {
	if !s.Ready {
		return "first sweep running"
	}
	out := fmt.Sprintf("%d agents active, %d unreachable, %d problems", s.Agents.Active, s.Agents.Unreachable, s.Problems.total())
	if s.Agents.Unconverged > 0 {
		out += fmt.Sprintf(", %d not converged", s.Agents.Unconverged)
	}
	if s.RelayDegraded {
		out += ", relay degraded"
	}
	if s.LastSweep != nil {
		out += fmt.Sprintf("; last sweep %s %s", s.LastSweep.Result, s.LastSweep.EndedAt)
	}
	return out
}

func eventViews(events []agent.Event) []controller.EventView {
	out := make([]controller.EventView, 0, len(events))
	for _, e := range events {
		out = append(out, EventView(e))
	}
	return out
}

// EventView is the printed form of an event.
func EventView(e agent.Event) controller.EventView {
	return controller.EventView{At: controller.Time(e.At), ID: e.ID, Reason: e.Reason, Path: e.Path, Message: e.Message}
}
