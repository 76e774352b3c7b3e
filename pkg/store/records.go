package store

import (
	"strconv"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// What a burst does to own records. Each looks first: the same again writes
// nothing.

// setState replaces what is remembered of an id, but for whether it is paused; nil
// or empty forgets it.
func (b *burst) setState(id agent.ID, st *agent.State) error {
	was, found, err := b.c.state(id)
	if err != nil {
		return err
	}
	next := agent.State{}
	if st != nil {
		next = *st
	}
	next.Paused = was.paused
	return b.putState(id, &next, was, found)
}

// pause replaces whether an id is paused, and nothing else of what is remembered.
func (b *burst) pause(id agent.ID, paused bool) error {
	was, found, err := b.c.state(id)
	if err != nil {
		return err
	}
	next := b.c.decodeState(id, was)
	next.Paused = paused
	return b.putState(id, &next, was, found)
}

func (b *burst) putState(id agent.ID, st *agent.State, was stateRow, found bool) error {
	if st.Empty() {
		if !found {
			return nil
		}
		b.learn.state(id, nil)
		return b.exec(`DELETE FROM mesh_controller_agents WHERE agent_id = ?`, id)
	}
	now := b.c.encodeState(st)
	if found && now == was {
		return nil
	}
	kept := b.c.decodeState(id, now)
	b.learn.state(id, &kept)
	if err := b.touch(nil); err != nil {
		return err
	}
	insert, err := b.c.stateStmt()
	if err != nil {
		return err
	}
	for i, cell := range [...]agent.Cell{
		agent.TextCell(string(id)), textOrNull(now.missing), textOrNull(now.clock), textOrNull(now.boot),
		{Kind: agent.Integer, Text: strconv.FormatInt(now.offset, 10)},
		agent.TextCell(now.evidence), textOrNull(now.mount),
		agent.BoolCell(now.lost), agent.BoolCell(now.paused), agent.BoolCell(now.held),
	} {
		if err := insert.set(i, cell); err != nil {
			return err
		}
	}
	return insert.Exec()
}

func (c *conn) stateStmt() (*binder, error) {
	if c.states == nil {
		prepared, err := c.prepare(`INSERT INTO mesh_controller_agents (` + stateColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (agent_id) DO UPDATE SET missing_since = excluded.missing_since,
			clock_since = excluded.clock_since, boot_id = excluded.boot_id, clock_offset = excluded.clock_offset,
			evidence = excluded.evidence, mount_json = excluded.mount_json, lost = excluded.lost, paused = excluded.paused,
			held = excluded.held`)
		if err != nil {
			return nil, err
		}
		c.states = &binder{Stmt: prepared}
	}
	return c.states, nil
}

// textOrNull is NULL for "".
func textOrNull(s string) agent.Cell {
	if s == "" {
		return agent.Cell{}
	}
	return agent.TextCell(s)
}

// unbury drops a tombstone.
func (b *burst) unbury(id agent.ID) error {
	if b.kept == nil {
		kept, err := b.c.remembers()
		if err != nil {
			return err
		}
		b.kept = &kept
	}
	if !b.kept.tombstones {
		return nil
	}
	found, err := b.c.exists(`SELECT 1 FROM mesh_controller_tombstones WHERE agent_id = ?`, id)
	if err != nil || !found {
		return err
	}
	return b.exec(`DELETE FROM mesh_controller_tombstones WHERE agent_id = ?`, id)
}

// setProblems replaces the problems of an id ("" for those of none). One that
// stays, by path and reason, keeps its since.
func (b *burst) setProblems(id agent.ID, problems []agent.Problem) error {
	type key struct {
		path   string
		reason agent.Reason
	}
	were, err := b.c.problems(id)
	if err != nil {
		return err
	}
	messages := map[key]string{}
	for _, p := range were {
		messages[key{p.Path, p.Reason}] = p.Message
	}
	stay := map[key]bool{}
	for _, p := range problems {
		k := key{p.Path, p.Reason}
		if stay[k] {
			continue
		}
		stay[k] = true
		if message, there := messages[k]; there && message == p.Message {
			continue
		}
		err := b.exec(`INSERT INTO mesh_controller_problems (`+problemColumns+`) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (agent_id, path, reason) DO UPDATE SET message = excluded.message`,
			id, p.Path, p.Reason, p.Message, b.now())
		if err != nil {
			return err
		}
	}
	for _, p := range were {
		if stay[key{p.Path, p.Reason}] {
			continue
		}
		err := b.exec(`DELETE FROM mesh_controller_problems WHERE agent_id = ? AND path = ? AND reason = ?`, id, p.Path, p.Reason)
		if err != nil {
			return err
		}
	}
	return nil
}

// leave records that a namespace was left. One that is recorded keeps its time.
func (b *burst) leave(namespace string) error {
	found, err := b.c.exists(`SELECT 1 FROM mesh_controller_left WHERE namespace = ?`, namespace)
	if err != nil || found {
		return err
	}
	return b.exec(`INSERT INTO mesh_controller_left (namespace, since) VALUES (?, ?)`, namespace, b.now())
}
