package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mesh-registry/mesh-controller/internal/daemon"
	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// completeWithin bounds what a press of a key may wait for the index.
const completeWithin = time.Second

// known are the agents of the index.
func (a *app) known(ctx context.Context) []controller.AgentStatus {
	return glance(ctx, a, (*daemon.Session).Agents).Agents
}

// glance asks the index while a word is being typed. Whatever goes wrong is
// silence: an error would be written into the line.
func glance[T any](ctx context.Context, a *app, question func(*daemon.Session, context.Context) (T, error)) T {
	ctx, cancel := context.WithTimeout(ctx, completeWithin)
	defer cancel()
	found := make(chan T, 1)
	go func() { found <- read(ctx, a, question) }() // left behind where a mount hangs
	select {
	case answer := <-found:
		return answer
	case <-ctx.Done():
		var none T
		return none
	}
}

func read[T any](ctx context.Context, a *app, question func(*daemon.Session, context.Context) (T, error)) T {
	var none T
	s, err := a.load()
	if err != nil {
		return none
	}
	session, err := daemon.OpenSession(ctx, s, a.build, a.log(s))
	if err != nil {
		return none
	}
	defer session.Close()
	answer, err := question(session, ctx)
	if err != nil {
		return none
	}
	return answer
}

// completeAgent completes the one argument ID|PATH.
func (a *app) completeAgent(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completeAgents(cmd, args, word)
}

// completeAgents completes arguments ID|PATH: a word by id or name, what looks
// like a path by the agents' paths or, where none fits, by directories.
func (a *app) completeAgents(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	agents := a.known(cmd.Context())
	if !strings.ContainsAny(word, "/.~") {
		return matchingIDs(agents, args, word), cobra.ShellCompDirectiveNoFileComp
	}
	var paths []cobra.Completion
	for _, s := range agents {
		if strings.HasPrefix(s.ProjectPath, word) && !slices.Contains(args, s.ProjectPath) {
			paths = append(paths, cobra.CompletionWithDesc(s.ProjectPath, printable(s.Name)))
		}
	}
	if len(paths) == 0 {
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	return paths, cobra.ShellCompDirectiveNoFileComp
}

// matchingIDs are ids, and names that commands take in their place: shells drop
// what does not begin with the word that was typed.
func matchingIDs(agents []controller.AgentStatus, args []string, word string) []cobra.Completion {
	var ids []cobra.Completion
	for _, s := range agents {
		if slices.Contains(args, string(s.ID)) {
			continue
		}
		switch {
		case strings.HasPrefix(string(s.ID), word):
			ids = append(ids, cobra.CompletionWithDesc(string(s.ID), printable(s.Name)))
		case strings.HasPrefix(s.Name, word) && agent.ID(s.Name).Valid():
			ids = append(ids, cobra.CompletionWithDesc(s.Name, string(s.ID)))
		}
	}
	return ids
}

// completeTombstone completes the id of an agent that left the index.
func (a *app) completeTombstone(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var ids []cobra.Completion
	for _, t := range glance(cmd.Context(), a, (*daemon.Session).Tombstones).Tombstones {
		if strings.HasPrefix(string(t.ID), word) || strings.HasPrefix(t.Name, word) {
			ids = append(ids, cobra.CompletionWithDesc(string(t.ID), printable(t.Name)))
		}
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

// completeRoot completes a scan root that agents are registered with, or a
// directory where none fits.
func (a *app) completeRoot(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var roots []cobra.Completion
	for _, s := range a.known(cmd.Context()) {
		if s.ScanRoot != nil && strings.HasPrefix(*s.ScanRoot, word) {
			roots = append(roots, *s.ScanRoot)
		}
	}
	if len(roots) == 0 {
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	slices.Sort(roots)
	return slices.Compact(roots), cobra.ShellCompDirectiveNoFileComp
}

func completeDirectory(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveFilterDirs
}

func (a *app) completeNamespace(cmd *cobra.Command, _ []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var names []cobra.Completion
	for _, s := range a.known(cmd.Context()) {
		if strings.HasPrefix(s.Namespace, word) {
			names = append(names, s.Namespace)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), cobra.ShellCompDirectiveNoFileComp
}

func completeRuntime(_ *cobra.Command, _ []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return startingWith(agent.Runtimes(), word), cobra.ShellCompDirectiveNoFileComp
}

func completeField(_ *cobra.Command, _ []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	fields := startingWith(agent.AssignableFields(), word)
	for i := range fields {
		fields[i] += "="
	}
	return fields, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

func startingWith(words []string, prefix string) []cobra.Completion {
	return slices.DeleteFunc(words, func(w string) bool { return !strings.HasPrefix(w, prefix) })
}

func completeFlag(c *cobra.Command, name string, f cobra.CompletionFunc) {
	// The flag exists: it was registered a moment ago.
	_ = c.RegisterFlagCompletionFunc(name, f)
}
