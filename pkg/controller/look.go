package controller

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

// look lists every source and forms the snapshot. Who was only edited is queued
// for r meanwhile, unless that is nil.
func (c *Controller) look(ctx context.Context, req SyncRequest, r *resync, stats *agent.SweepStats) (*snapshot, error) {
	now, awake := c.settling.read()
	why := c.settling.reopened()
	if why != "" {
		c.log.Info("absences have to settle anew", zap.String("event", "SettleWindow"), zap.String("cause", why))
		c.ledger.timeAnew(now.Wall)
	}
	stats.Complete = map[string]bool{"files": false, "index": false, "relay": false}
	last := c.current.Load()
	index, err := c.listIndex(ctx, last, now.Wall)
	if err != nil {
		return nil, err
	}
	stats.Complete["index"] = true
	roots := c.roots(index)
	var edited func(agent.ID)
	if last != nil && r != nil && len(req.Targets) == 0 && req.below == "" {
		listed := index
		edited = func(id agent.ID) { c.queueEdited(r, last, listed, id) }
	}
	known := knownPaths(index, last)
	files, changes, err := c.ports.Sources.Sweep(ctx, agent.SweepRequest{
		Roots: roots, Known: known, Denied: index.Denied, Full: req.Full, Skim: c.skims(stats.Trigger), Now: now.Wall, Edited: edited,
	})
	if err != nil {
		return nil, fmt.Errorf("look at the files: %w", err)
	}
	stats.Complete["files"] = files.Complete()
	stats.Stats, stats.Reads = files.Stats, files.Reads
	c.ledger.mark(changes.IDs, now.Wall, sourceFile)
	if changes.All || last == nil {
		c.unopened.Store(true) // until a sweep opens everybody
	}
	if edited != nil && c.resyncs.hasEarly(r) {
		// What was done about them is to be in the listing: the ledger takes its
		// counts from there.
		if index, err = c.listIndex(ctx, last, now.Wall); err != nil {
			return nil, err
		}
		known = knownPaths(index, last)
	}

	s := snapshot{files: files, index: index, known: known, anew: c.unopened.Load(), began: awake, recovers: req.Full || c.ports.Index.Unclean()}
	c.listRelay(ctx, &s, last, now.Wall)
	stats.Complete["relay"] = s.relayDown == ""
	s.refused = c.refused(ctx, index.Denied, last, req.Full)
	c.remember(last, changes.Paths)
	next := newSnapshot(s, last, plan.Roots{Managed: c.options.Load().ManagedHome, Configured: c.options.Load().ScanRoots})
	c.markPaths(next, changes.Paths, now.Wall)
	if err := c.teachRoots(ctx, next); err != nil {
		return nil, err
	}
	return next, nil
}

// listIndex lists the rows and marks whom others changed.
func (c *Controller) listIndex(ctx context.Context, last *snapshot, now time.Time) (*agent.IndexListing, error) {
	index, changed, err := c.ports.Index.List(ctx)
	if err != nil {
		c.ports.Metrics.IndexError("list")
		return nil, err
	}
	c.paused.Store(index.Paused)
	if last != nil { // else everybody is looked at
		c.ledger.mark(changed, now, sourceIndex)
	}
	return index, nil
}

// skims reports whether a sweep may be content with the manifests that are known
// and look for new ones inside projects in turns: one that nobody waits for,
// while nothing is missing that may turn up anywhere.
func (c *Controller) skims(trigger string) bool {
	return trigger == "interval" && c.ledger.nothingMissing()
}

// shown is the source of a change, once there was a listing to change from.
func (c *Controller) shown(source string) string {
	if c.current.Load() == nil {
		return ""
	}
	return source
}

// listRelay fills in the relay's part. A relay that does not answer never stops
// files from reaching the index.
func (c *Controller) listRelay(ctx context.Context, s *snapshot, last *snapshot, now time.Time) {
	s.relay = &agent.RelayListing{}
	if last != nil {
		s.relay = last.relay
	}
	if c.ports.Relay == nil {
		return
	}
	listing, changed, err := c.ports.Relay.List(ctx)
	if err != nil {
		c.ports.Metrics.RelayError("list")
		c.log.Warn("the relay does not answer", zap.String("event", string(agent.RelayDegraded)), zap.Error(err))
		s.relayDown = err.Error()
		return
	}
	s.relay = listing
	was := ""
	if last != nil {
		c.ledger.mark(changed, now, sourceRelay)
		was = last.relayTrouble()
	}
	switch now := s.relayTrouble(); {
	case now != "" && now != was:
		c.log.Warn("the relay's rules cannot be read", zap.String("event", string(agent.RelayDegraded)), zap.String("error", clip(now)))
	case now == "" && was != "":
		c.log.Info("the relay answers again, and its rules can be read", zap.String("event", "RelayRecovered"))
	}
}

// roots are the places to walk: the managed home, the configured roots and
// those that rows name; never / or $HOME unless configured.
func (c *Controller) roots(index *agent.IndexListing) []string {
	o := c.options.Load()
	roots := slices.Clone(o.ScanRoots)
	if o.ManagedHome != "" {
		roots = append(roots, o.ManagedHome)
	}
	for _, r := range recordedRoots(index) {
		if !slices.Contains(o.NeverWalk, r) {
			roots = append(roots, r)
		}
	}
	slices.Sort(roots)
	return slices.Compact(roots)
}

// knownPaths are the recorded ones, displaced ids included. Of a row and a
// displaced id at one path it is the row. An edit changes no place, and to sort a
// hundred thousand of them takes longer than to sweep them.
func knownPaths(index *agent.IndexListing, last *snapshot) []agent.Known {
	if last != nil && (last.index == index || samePlaces(last.index, index)) {
		return last.known
	}
	known := make([]agent.Known, 0, len(index.Entries)+len(index.Displaced))
	add := func(path string, id agent.ID) {
		if filepath.IsAbs(path) { // any other names no place, see probeHome
			known = append(known, agent.Known{Path: path, ID: id})
		}
	}
	for i := range index.Entries {
		add(index.Entries[i].Path, index.Entries[i].ID)
	}
	for _, id := range sortedIDs(index.Displaced) {
		add(index.Displaced[id].Record.Path, id)
	}
	slices.SortStableFunc(known, func(a, b agent.Known) int { return strings.Compare(a.Path, b.Path) })
	return slices.CompactFunc(known, func(a, b agent.Known) bool { return a.Path == b.Path })
}

// refused looks which denied paths carry a manifest; while the deny list stays
// as it is, only a full sweep looks again.
func (c *Controller) refused(ctx context.Context, list []string, last *snapshot, full bool) []string {
	if last != nil && !full && slices.Equal(list, last.index.Denied) {
		return last.refused
	}
	var paths []string
	for _, path := range list {
		switch c.ports.Sources.Probe(ctx, agent.ProbeRequest{Path: path, Anchor: path}).Class {
		case agent.Present, agent.Invalid:
			paths = append(paths, path)
		case agent.Unknown, agent.OtherAgent, agent.FileMissing, agent.DirMissing, agent.VolumeGone:
		}
	}
	return paths
}

// remember keeps the identity of directories that vanished: a claim that is the
// same directory is the moved one.
func (c *Controller) remember(last *snapshot, changed []string) {
	if last == nil {
		return
	}
	c.ledger.mu.Lock()
	defer c.ledger.mu.Unlock()
	for _, path := range changed {
		i, ok := slices.BinarySearchFunc(last.files.Sightings, path, func(s agent.Sighting, p string) int { return strings.Compare(s.Path, p) })
		if !ok {
			continue
		}
		f := &last.files.Sightings[i]
		if id, recorded := last.standing(path); recorded && id == f.ID && id != "" {
			c.ledger.directories[id] = f.Dir
		}
	}
}

// markPaths marks the ids whose recorded path changed.
func (c *Controller) markPaths(s *snapshot, paths []string, now time.Time) {
	var ids []agent.ID
	for _, p := range paths {
		if id, ok := s.standing(p); ok {
			ids = append(ids, id)
		}
	}
	c.ledger.mark(ids, now, sourceFile)
}
