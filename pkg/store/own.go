package store

import (
	"encoding/json"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Own records are read tolerantly: a value that cannot be understood is as if it
// were not there.

const stateColumns = `agent_id, missing_since, clock_since, boot_id, clock_offset, evidence, mount_json, lost, paused, held`

// stateRow is a state as it is stored, comparable.
type stateRow struct {
	missing, clock, boot string
	offset               int64
	evidence, mount      string
	lost, paused, held   bool
}

func (c *conn) encodeState(st *agent.State) stateRow {
	return stateRow{
		missing:  agent.FormatTime(st.MissingSince),
		clock:    agent.FormatTime(st.Clock.Wall),
		boot:     st.Clock.BootID,
		offset:   int64(st.Clock.Offset),
		evidence: st.Evidence.String(),
		mount:    c.mounts.encode(st.Mount),
		lost:     st.Lost,
		paused:   st.Paused,
		held:     st.Held,
	}
}

// stateRow reads the current row of a query for stateColumns.
func (r *row) stateRow() (agent.ID, stateRow) {
	return r.rowID(), stateRow{
		missing:  r.text(1),
		clock:    r.text(2),
		boot:     r.text(3),
		offset:   r.int(4),
		evidence: r.text(5),
		mount:    r.text(6),
		lost:     r.int(7) != 0,
		paused:   r.int(8) != 0,
		held:     r.int(9) != 0,
	}
}

func (c *conn) decodeState(id agent.ID, s stateRow) agent.State {
	return agent.State{
		ID:           id,
		MissingSince: agent.ParseTime(s.missing),
		Clock: agent.Stamp{
			Wall:   agent.ParseTime(s.clock),
			BootID: s.boot,
			Offset: time.Duration(s.offset),
		},
		Evidence: agent.ParseEvidence(s.evidence),
		Mount:    c.mounts.decode(s.mount),
		Lost:     s.lost,
		Paused:   s.paused,
		Held:     s.held,
	}
}

// mounts are the mount that was encoded last and the one that was decoded last: there
// are few, and a fleet of states has the same. They are not one: text that is not
// UTF-8 does not come back as it was.
type mounts struct{ encoded, decoded encodedMount }

type encodedMount struct {
	mount agent.Mount
	text  string
}

func (l *mounts) encode(m agent.Mount) string {
	if e := &l.encoded; e.mount != m {
		*e = encodedMount{m, encodeMount(m)}
	}
	return l.encoded.text
}

func (l *mounts) decode(s string) agent.Mount {
	if d := &l.decoded; d.text != s {
		*d = encodedMount{decodeMount(s), s}
	}
	return l.decoded.mount
}

func encodeMount(m agent.Mount) string {
	if m.IsZero() {
		return ""
	}
	b, err := json.Marshal(m)
	if err != nil {
		return "" // five strings: cannot be
	}
	return string(b)
}

func decodeMount(s string) agent.Mount {
	var m agent.Mount
	if s == "" || json.Unmarshal([]byte(s), &m) != nil {
		return agent.Mount{}
	}
	return m
}

const problemColumns = `agent_id, path, reason, message, since`

// problem reads the current row of a query for problemColumns.
func (r *row) problem() agent.Problem {
	return agent.Problem{
		ID:      agent.ID(r.text(0)),
		Path:    r.text(1),
		Reason:  agent.Reason(r.text(2)),
		Message: r.text(3),
		Since:   agent.ParseTime(r.text(4)),
	}
}

// state reads what is stored of an id.
func (c *conn) state(id agent.ID) (st stateRow, found bool, err error) {
	err = c.query(`SELECT `+stateColumns+` FROM mesh_controller_agents WHERE agent_id = ?`, func(r *row) {
		_, st = r.stateRow()
		found = true
	}, id)
	return st, found, err
}

// problems reads those of an id, "" for those of none.
func (c *conn) problems(id agent.ID) (list []agent.Problem, err error) {
	err = c.query(`SELECT `+problemColumns+` FROM mesh_controller_problems WHERE agent_id = ? ORDER BY path, reason`,
		func(r *row) { list = append(list, r.problem()) }, id)
	return list, err
}

// ownRecords reads everything that is ours into the listing.
func (sc *scan) ownRecords(c *conn) error {
	l := sc.listing
	for _, q := range []struct {
		sql string
		row func(*row)
	}{
		{`SELECT ` + stateColumns + ` FROM mesh_controller_agents`, func(r *row) {
			id, st := r.stateRow()
			l.States[id] = c.decodeState(id, st)
		}},
		// One whose row is back in the index is no longer displaced.
		{`SELECT ` + tombstoneColumns + ` FROM mesh_controller_tombstones
			WHERE reason = 'Displaced' AND NOT EXISTS (SELECT 1 FROM agents WHERE id = agent_id)`, func(r *row) {
			t := r.tombstone()
			l.Displaced[t.ID] = t
		}},
		{`SELECT agent_id FROM mesh_controller_tombstones WHERE EXISTS (SELECT 1 FROM agents WHERE id = agent_id)`, func(r *row) {
			l.Returned[r.rowID()] = struct{}{}
		}},
		{`SELECT ` + problemColumns + ` FROM mesh_controller_problems ORDER BY path, reason, agent_id`, func(r *row) {
			l.Problems = append(l.Problems, r.problem())
		}},
		{`SELECT path, mount_json, released_at FROM mesh_controller_roots ORDER BY path`, func(r *row) {
			l.Roots = append(l.Roots, r.root())
		}},
		{`SELECT namespace FROM mesh_controller_left ORDER BY namespace`, func(r *row) {
			l.Left = append(l.Left, r.text(0))
		}},
	} {
		if err := c.query(q.sql, q.row); err != nil {
			return err
		}
	}
	return nil
}
