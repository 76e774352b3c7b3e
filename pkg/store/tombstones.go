package store

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

const tombstoneColumns = `agent_id, reason, at, record_json, evidence`

// tombstone reads the current row of a query for tombstoneColumns.
func (r *row) tombstone() agent.Tombstone {
	id := r.rowID()
	return agent.Tombstone{
		ID:       id,
		Reason:   agent.Reason(r.text(1)),
		At:       agent.ParseTime(r.text(2)),
		Record:   decodeRecord(id, r.text(3)),
		Evidence: r.text(4),
	}
}

func (c *conn) tombstone(id agent.ID) (t *agent.Tombstone, err error) {
	err = c.query(`SELECT `+tombstoneColumns+` FROM mesh_controller_tombstones WHERE agent_id = ?`, func(r *row) {
		found := r.tombstone()
		t = &found
	}, id)
	return t, err
}

// bury records a tombstone; one that is there already is replaced.
func (b *burst) bury(t *agent.Tombstone) error {
	at := agent.FormatTime(t.At)
	if at == "" {
		at = b.now()
	}
	record, err := encodeRecord(&t.Record)
	if err != nil {
		return err
	}
	b.kept = nil
	return b.exec(`INSERT INTO mesh_controller_tombstones (`+tombstoneColumns+`) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (agent_id) DO UPDATE SET reason = excluded.reason, at = excluded.at,
		record_json = excluded.record_json, evidence = excluded.evidence`,
		t.ID, t.Reason, at, record, t.Evidence)
}

// Tombstones lists what left the index within 30 days, the oldest first.
func (s *Store) Tombstones(ctx context.Context) ([]agent.Tombstone, error) {
	var list []agent.Tombstone
	err := s.glance(ctx, func(c *conn) error {
		list = nil
		if c == nil || !c.schema.own() {
			return nil
		}
		return c.query(`SELECT `+tombstoneColumns+` FROM mesh_controller_tombstones ORDER BY at, agent_id`,
			func(r *row) { list = append(list, r.tombstone()) })
	})
	if err != nil {
		return nil, fmt.Errorf("read the tombstones: %w", err)
	}
	return list, nil
}

// A record is stored keyed by column, so that it outlives changes of the field
// table. Text, integers and NULL are themselves; anything else is
// {"other":literal}.

type otherCell struct {
	Other string `json:"other"`
}

func encodeRecord(rec *agent.Record) (string, error) {
	m := make(map[string]any, numColumns)
	for i := range int(numColumns) {
		switch c := cellOf(rec, i); c.Kind {
		case agent.Null:
		case agent.Text:
			m[columnName(i)] = c.Text
		case agent.Integer:
			m[columnName(i)] = jsontext.Value(c.Text)
		case agent.Other:
			m[columnName(i)] = otherCell{c.Text}
		}
	}
	// A name that is not UTF-8 is kept as far as JSON can.
	b, err := json.Marshal(m, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return "", fmt.Errorf("tombstone of %s: %w", rec.ID, err)
	}
	return string(b), nil
}

func decodeRecord(id agent.ID, text string) agent.Record {
	var m map[string]jsontext.Value
	rec := agent.Record{ID: id}
	if json.Unmarshal([]byte(text), &m) != nil {
		return rec
	}
	cell := func(i int) agent.Cell { return decodeCell(m[columnName(i)]) }
	rec.Path = cell(colPath).Text
	rec.ScanRoot = cell(colScanRoot).Text
	rec.Status = cell(colStatus).Text
	for i := range rec.Fields {
		rec.Fields[i] = cell(colField + i)
	}
	rec.RegisteredAt = cell(colRegisteredAt).Text
	rec.Approver = cell(colApprover)
	rec.LastSeenAt = cell(colLastSeenAt)
	rec.LastSeenEvent = cell(colLastSeenEvent)
	rec.Entrypoint = cell(colEntrypoint)
	rec.Version = cell(colVersion)
	rec.UpdatedAt = cell(colUpdatedAt).Text
	return rec
}

func decodeCell(v jsontext.Value) agent.Cell {
	switch v.Kind() {
	case '"':
		var s string
		if json.Unmarshal(v, &s) == nil {
			return agent.TextCell(s)
		}
	case '0':
		return agent.Cell{Kind: agent.Integer, Text: string(v)}
	case '{':
		var o otherCell
		if json.Unmarshal(v, &o) == nil {
			return agent.Cell{Kind: agent.Other, Text: o.Other}
		}
	}
	return agent.Cell{}
}
