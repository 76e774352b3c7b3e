package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/mesh-registry/mesh-controller/internal/daemon"
	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// agentFilter narrows the list; zero fields do not.
type agentFilter struct {
	targets   []string
	status    string
	namespace string
	problems  bool
}

// given reports whether anything narrows the list.
func (f *agentFilter) given() bool {
	return len(f.targets) > 0 || f.status != "" || f.namespace != "" || f.problems
}

func (a *app) agentsCommand() *cobra.Command {
	var f agentFilter
	var watch, denied bool
	c := &cobra.Command{
		Use:               "agents [ID|PATH...]",
		Short:             "List the agents and what is wrong with whom",
		Example:           "  mesh-controller agents\n  mesh-controller agents --problems\n  mesh-controller agents -w --status unreachable",
		ValidArgsFunction: a.completeAgents,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if f.targets, err = targets(args); err != nil {
				return err
			}
			if f.status != "" && f.status != agent.Active && f.status != agent.Unreachable {
				return usagef("use active or unreachable", "--status: %q is not a status", f.status)
			}
			if denied && (watch || f.given()) {
				return usagef("leave the rest out: the deny list holds paths, not agents", "--denied stands alone")
			}
			return a.ask(cmd, func(ctx context.Context, s *daemon.Session) error {
				if denied {
					return a.listDenials(ctx, s)
				}
				if watch {
					return a.watchAgents(ctx, s, f)
				}
				return a.listAgents(ctx, s, f, a.stdout)
			})
		},
	}
	c.Flags().StringVar(&f.status, "status", "", "only agents that are `active` or unreachable")
	c.Flags().StringVar(&f.namespace, "namespace", "", "only agents of this `namespace`")
	c.Flags().BoolVar(&f.problems, "problems", false, "only agents that are not in sync, and the problems")
	c.Flags().BoolVar(&denied, "denied", false, "the deny list instead")
	c.Flags().BoolVarP(&watch, "watch", "w", false, "print again whenever something changed")
	completeFlag(c, "namespace", a.completeNamespace)
	completeFlag(c, "status", cobra.FixedCompletions([]cobra.Completion{agent.Active, agent.Unreachable}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func (a *app) listAgents(ctx context.Context, s *daemon.Session, f agentFilter, w io.Writer) error {
	result, err := s.Agents(ctx)
	if err != nil {
		return err
	}
	if result, err = f.apply(result); err != nil {
		return err
	}
	return a.printTo(w, result, func(w io.Writer) { a.writeAgents(w, &result) })
}

// watchEvery is how often a watched list is looked at.
const watchEvery = 2 * time.Second

func (a *app) watchAgents(ctx context.Context, s *daemon.Session, f agentFilter) error {
	var last []byte
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		var now bytes.Buffer
		if err := a.listAgents(ctx, s, f, &now); err != nil {
			return err
		}
		if !bytes.Equal(last, now.Bytes()) {
			last = now.Bytes()
			if err := a.redraw(last); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

func (a *app) redraw(page []byte) error {
	if isTerminal(a.stdout) && (a.output == formatTable || a.output == formatWide) {
		page = append([]byte("\x1b[H\x1b[2J"), page...)
	}
	_, err := a.stdout.Write(page)
	return err
}

// apply keeps what the filter asks for. A target that nothing knows is an
// error. With a filter, only problems of agents that are left stay.
func (f *agentFilter) apply(r controller.AgentsResult) (controller.AgentsResult, error) {
	troubled := map[agent.ID]bool{}
	for _, p := range r.Problems {
		if p.AgentID != nil {
			troubled[*p.AgentID] = true
		}
	}
	out := controller.AgentsResult{APIVersion: r.APIVersion, Agents: []controller.AgentStatus{}, Problems: []controller.ProblemStatus{}}
	for _, s := range r.Agents {
		if f.keeps(&s) && (!f.problems || s.Reason != agent.InSync || troubled[s.ID]) {
			out.Agents = append(out.Agents, s)
		}
	}
	for _, p := range r.Problems {
		if f.keepsProblem(&p, out.Agents) {
			out.Problems = append(out.Problems, p)
		}
	}
	for _, t := range f.targets {
		if !isThere(t, r) {
			return out, fmt.Errorf("%s: %w: neither the id nor the path of an agent", t, controller.ErrNotFound)
		}
	}
	return out, nil
}

func (f *agentFilter) keeps(s *controller.AgentStatus) bool {
	if f.status != "" && s.Status != f.status || f.namespace != "" && s.Namespace != f.namespace {
		return false
	}
	return len(f.targets) == 0 || slices.Contains(f.targets, string(s.ID)) || slices.Contains(f.targets, s.ProjectPath) ||
		slices.Contains(f.targets, s.Name)
}

func (f *agentFilter) keepsProblem(p *controller.ProblemStatus, left []controller.AgentStatus) bool {
	if len(f.targets) == 0 && f.status == "" && f.namespace == "" {
		return true
	}
	if slices.Contains(f.targets, p.Path) || p.AgentID != nil && slices.Contains(f.targets, string(*p.AgentID)) {
		return true
	}
	return slices.ContainsFunc(left, func(s controller.AgentStatus) bool {
		return s.ProjectPath == p.Path || p.AgentID != nil && s.ID == *p.AgentID
	})
}

func isThere(target string, r controller.AgentsResult) bool {
	return slices.ContainsFunc(r.Agents, func(s controller.AgentStatus) bool {
		return string(s.ID) == target || s.ProjectPath == target || s.Name == target
	}) || slices.ContainsFunc(r.Problems, func(p controller.ProblemStatus) bool {
		return p.Path == target || p.AgentID != nil && string(*p.AgentID) == target
	})
}

func (a *app) writeAgents(w io.Writer, r *controller.AgentsResult) {
	if len(r.Agents) == 0 && len(r.Problems) == 0 {
		fmt.Fprintln(w, "no agents")
		return
	}
	a.agentTable(r.Agents).write(w)
	if len(r.Problems) == 0 {
		return
	}
	t := a.table("PROBLEM", "AGENT", "SINCE", "PATH", "MESSAGE")
	for _, p := range r.Problems {
		id := ""
		if p.AgentID != nil {
			id = string(*p.AgentID)
		}
		t.row(string(p.Reason), id, a.age(p.Since), p.Path, p.Message)
	}
	fmt.Fprintln(w)
	t.write(w)
}

func (a *app) agentTable(agents []controller.AgentStatus) *table {
	if a.output != formatWide {
		t := a.table("ID", "NAME", "NAMESPACE", "STATUS", "REASON", "SINCE", "PATH")
		for _, s := range agents {
			t.row(string(s.ID), s.Name, s.Namespace, s.Status, string(s.Reason), a.age(s.Since), s.ProjectPath)
		}
		return t
	}
	t := a.table("ID", "NAME", "NAMESPACE", "RUNTIME", "STATUS", "REASON", "SINCE", "REMOVED AT", "HOLD", "ENDPOINT", "SUBJECT", "ROOT", "PATH", "MESSAGE")
	for _, s := range agents {
		endpoint, hold := "no", ""
		if s.Endpoint {
			endpoint = "yes"
		}
		if s.Hold != nil {
			hold = string(s.Hold.Reason)
		}
		t.row(string(s.ID), s.Name, s.Namespace, s.Runtime, s.Status, string(s.Reason), a.age(s.Since), s.RemoveAt.String(),
			hold, endpoint, s.RelaySubject, orNone(s.ScanRoot), s.ProjectPath, orNone(s.Message))
	}
	return t
}
