package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Retention. History is for people; the index does not depend on it.
const (
	// maxEvents kept. At one event per change this is the last day of a busy
	// fleet of thousands, or years of a laptop's; about 2 MiB.
	maxEvents = 10_000
	// Retention of events and of tombstones. What was removed can be undone for
	// as long.
	Retention = 30 * 24 * time.Hour
	// purgeEvery is how often old records are looked for while there are writes.
	purgeEvery = time.Hour
)

// Events returns the history, the newest last.
func (s *Store) Events(ctx context.Context, f agent.EventFilter) ([]agent.Event, error) {
	limit := int64(-1)
	if f.Limit > 0 {
		limit = int64(f.Limit)
	}
	var events []agent.Event
	err := s.glance(ctx, func(c *conn) error {
		events = nil
		if c == nil || !c.schema.own() {
			return nil
		}
		return c.query(`SELECT at, agent_id, reason, path, message FROM mesh_controller_events
			WHERE (?1 = '' OR agent_id = ?1) AND at >= ?2 ORDER BY seq DESC LIMIT ?3`,
			func(r *row) {
				events = append(events, agent.Event{
					At: agent.ParseTime(r.text(0)), ID: agent.ID(r.text(1)),
					Reason: agent.Reason(r.text(2)), Path: r.text(3), Message: r.text(4),
				})
			}, f.ID, agent.FormatTime(f.Since), limit)
	})
	if err != nil {
		return nil, fmt.Errorf("read the events: %w", err)
	}
	slices.Reverse(events)
	return events, nil
}

func (b *burst) event(e *agent.Event) error {
	if err := b.touch(nil); err != nil {
		return err
	}
	st := b.c.events
	if st == nil {
		prepared, err := b.c.prepare(`INSERT INTO mesh_controller_events (at, agent_id, reason, path, message) VALUES (?, ?, ?, ?, ?)`)
		if err != nil {
			return err
		}
		st = &binder{Stmt: prepared}
		b.c.events = st
	}
	at := b.text(e.At)
	if at == "" {
		at = b.now()
	}
	for i, text := range [...]string{at, string(e.ID), string(e.Reason), e.Path, e.Message} {
		if err := st.set(i, agent.TextCell(text)); err != nil {
			return err
		}
	}
	return st.Exec()
}

// purge drops what is too old or too much. It rides on other writes.
func (b *burst) purge() error {
	err := b.exec(`DELETE FROM mesh_controller_events
		WHERE seq <= (SELECT max(seq) FROM mesh_controller_events) - ?`, int64(maxEvents))
	if err != nil || b.at.Sub(b.s.swept).Abs() < purgeEvery {
		return err
	}
	b.s.swept = b.at
	old := agent.FormatTime(b.at.Add(-Retention))
	if err := b.exec(`DELETE FROM mesh_controller_events WHERE at < ?`, old); err != nil {
		return err
	}
	// The tombstone of an orphan whose clock still runs stays: its mailbox stands.
	return b.exec(`DELETE FROM mesh_controller_tombstones WHERE at < ? AND agent_id NOT IN
		(SELECT agent_id FROM mesh_controller_agents WHERE missing_since IS NOT NULL)`, old)
}
