package controller

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/relay"
)

// conclude does what concerns no single id, after the keys of a sweep. A relay
// that cannot do its part keeps nothing else from being done.
func (c *Controller) conclude(ctx context.Context, s *snapshot) error {
	c.applying.Lock()
	defer c.applying.Unlock()
	err := c.recordSweep(ctx, s)
	c.unrecorded.Store(err != nil)
	err = errors.Join(err, c.settleLeft(ctx))
	if c.queue.Len() > 0 {
		return err
	}
	return errors.Join(err, c.ports.Index.Rest())
}

// recordSweep records what a sweep as a whole has shown.
func (c *Controller) recordSweep(ctx context.Context, s *snapshot) error {
	if err := c.recordPlaces(ctx, s); err != nil {
		return err
	}
	if s.recovers && s.whole && s.files.Complete() {
		if err := c.ports.Index.Cleared(); err != nil {
			return fmt.Errorf("record that a crash was cleared up after: %w", err)
		}
	}
	if s.index.Lost && s.files.Complete() {
		if err := c.ports.Index.Found(ctx); err != nil {
			return fmt.Errorf("end the loss of the index: %w", err)
		}
	}
	return nil
}

// recordPlaces records the problems of which no id is known: manifests that are
// refused or cannot be read where no row is recorded, and denied places.
func (c *Controller) recordPlaces(ctx context.Context, s *snapshot) error {
	places := s.places()
	c.ledger.mu.Lock()
	same := slices.EqualFunc(places, sortedProblems(c.ledger.places), samePlace)
	c.ledger.mu.Unlock()
	if same {
		return nil
	}
	if err := c.ports.Index.CommitProblems(ctx, places); err != nil {
		c.ports.Metrics.IndexError("problems")
		return fmt.Errorf("record problems: %w", err)
	}
	c.ledger.mu.Lock()
	defer c.ledger.mu.Unlock()
	c.ledger.places = places
	return nil
}

// places lists the problems of the listing itself, in the order of their paths.
func (s *snapshot) places() []agent.Problem {
	var list []agent.Problem
	for i := range s.files.Sightings {
		f := &s.files.Sightings[i]
		if f.Class == agent.Present {
			continue
		}
		if _, recorded := s.standing(f.Path); recorded {
			continue
		}
		p := agent.Problem{Path: f.Path, Reason: f.Class.Reason()}
		if f.Problem != nil {
			p.Message = f.Problem.Error()
		} else {
			p.Message = "could not tell: " + f.Err
		}
		list = append(list, p)
	}
	for _, path := range s.refused {
		list = append(list, agent.Problem{Path: path, Reason: agent.Denied, Message: "on the deny list; nothing there is registered"})
	}
	return sortedProblems(list)
}

func sortedProblems(list []agent.Problem) []agent.Problem {
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, func(a, b agent.Problem) int {
		return strings.Compare(a.Path+"\x00"+string(a.Reason), b.Path+"\x00"+string(b.Reason))
	})
	return sorted
}

func samePlace(a, b agent.Problem) bool {
	return a.Path == b.Path && a.Reason == b.Reason && a.Message == b.Message
}

// settleLeft takes away the rules of namespaces that were left, when the record
// stands, no row names them and no endpoint occupies them; then the record
// goes. The caller holds applying.
func (c *Controller) settleLeft(ctx context.Context) error {
	left := c.ledger.leftNamespaces()
	if len(left) == 0 {
		return nil
	}
	vacancies, err := c.ports.Index.Vacant(ctx, left)
	if err != nil {
		c.ports.Metrics.IndexError("vacant")
		return fmt.Errorf("look for agents in left namespaces: %w", err)
	}
	settled, removals, err := c.vacated(ctx, left, vacancies)
	if err != nil {
		return err
	}
	if c.ports.Relay != nil && len(removals) > 0 {
		err := c.ports.Relay.RemoveRules(ctx, removals)
		c.ports.Metrics.Action("removeRules", outcome(err))
		if err != nil {
			if waits(err) {
				return nil
			}
			c.ports.Metrics.RelayError("rules")
			return fmt.Errorf("remove rules: %w", err)
		}
	}
	if len(settled) == 0 {
		return nil
	}
	if err := c.ports.Index.ForgetLeft(ctx, settled); err != nil {
		c.ports.Metrics.IndexError("left")
		return fmt.Errorf("forget left namespaces: %w", err)
	}
	c.ledger.forgetLeft(settled)
	return nil
}

// vacated splits the left namespaces: which are settled, and what goes with
// them. One that is still occupied stays on record; a value that is no namespace,
// which a row that others wrote may have, never had anything.
func (c *Controller) vacated(ctx context.Context, left []string, v map[string]agent.Vacancy) (settled []string, removals []relay.Removal, err error) {
	for _, ns := range left {
		if !agent.IsNamespace(ns) {
			settled = append(settled, ns)
			continue
		}
		occupied := false
		if v[ns].Empty && c.ports.Relay != nil {
			if occupied, err = c.ports.Relay.Occupied(ctx, ns); err != nil {
				c.ports.Metrics.RelayError("occupied")
				return nil, nil, fmt.Errorf("look whether namespace %s is occupied: %w", ns, err)
			}
		}
		switch {
		case occupied:
			continue
		case v[ns].Empty:
			removals = append(removals, relay.Removal{Namespace: ns})
		case v[ns].NoSystem:
			removals = append(removals, relay.Removal{Namespace: ns, SystemOnly: true})
		}
		settled = append(settled, ns)
	}
	return settled, removals, nil
}

// teachRoots remembers the mount of a root below which agents are Present. A
// recorded mount is replaced only when nothing relies on it: every row below
// the root is Present, or is an absence that remembers a mount of its own.
func (c *Controller) teachRoots(ctx context.Context, s *snapshot) error {
	var lessons []agent.Root
	for i := range s.files.Roots {
		r := &s.files.Roots[i]
		known, recorded := s.rootMounts[r.Path]
		if r.Gone || r.Mount.IsZero() || known == r.Mount || !s.presentBelow(r.Path) {
			continue
		}
		if recorded && !known.IsZero() && (!r.Complete || s.relied(r.Path)) {
			continue
		}
		lessons = append(lessons, agent.Root{Path: r.Path, Mount: r.Mount, ReleasedAt: s.released[r.Path]})
	}
	if len(lessons) == 0 {
		return nil
	}
	if err := c.commitRoots(ctx, lessons); err != nil {
		return err
	}
	mounts := make(map[string]agent.Mount, len(s.rootMounts))
	maps.Copy(mounts, s.rootMounts)
	for _, r := range lessons {
		mounts[r.Path] = r.Mount
	}
	s.rootMounts = mounts
	return nil
}

func (c *Controller) commitRoots(ctx context.Context, roots []agent.Root) error {
	if c.options.Load().ReadOnly {
		return nil
	}
	if err := c.ports.Index.CommitRoots(ctx, roots); err != nil {
		c.ports.Metrics.IndexError("roots")
		return fmt.Errorf("remember the mounts of scan roots: %w", err)
	}
	return nil
}

// presentBelow reports whether a manifest lies below the root.
func (s *snapshot) presentBelow(root string) bool {
	i, _ := slices.BinarySearchFunc(s.files.Sightings, root, func(f agent.Sighting, p string) int { return strings.Compare(f.Path, p) })
	for ; i < len(s.files.Sightings); i++ {
		f := &s.files.Sightings[i]
		if !agent.Within(f.Path, root) {
			// "/a-b" sorts between "/a" and "/a/b".
			if strings.HasPrefix(f.Path, root) {
				continue
			}
			return false
		}
		if f.Class == agent.Present {
			return true
		}
	}
	return false
}

// relied reports whether a row below the root trusts its recorded mount.
func (s *snapshot) relied(root string) bool {
	for i := range s.index.Entries {
		e := &s.index.Entries[i]
		if e.ScanRoot != root {
			continue
		}
		if st := s.index.States[e.ID]; st.Missing() && !st.Mount.IsZero() {
			continue
		}
		if !slices.ContainsFunc(s.files.Places(e.ID), func(i int32) bool { return s.files.Sightings[i].Path == e.Path }) {
			return true
		}
	}
	return false
}
