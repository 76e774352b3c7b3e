package store

import (
	"context"
	"fmt"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Read returns what is known of each id now, and who stands at each path ("" and
// absent from the map: nobody), all of one moment. Every id asked for is in the
// map, with an empty View where nothing is known of it.
func (s *Store) Read(ctx context.Context, ids []agent.ID, paths []string) (map[agent.ID]agent.View, map[string]agent.ID, error) {
	if err := s.enter(ctx); err != nil {
		return nil, nil, err
	}
	defer s.leave()
	var views map[agent.ID]agent.View
	var at map[string]agent.ID
	err := s.read(ctx, func(c *conn) (err error) {
		views = make(map[agent.ID]agent.View, len(ids))
		at = make(map[string]agent.ID, len(paths))
		kept, err := c.remembers()
		if err != nil {
			return err
		}
		for _, id := range ids {
			v, err := c.view(id, kept)
			if err != nil {
				return err
			}
			views[id] = v
		}
		for _, path := range paths {
			if err := c.standing(path, at); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read %d agents: %w", len(ids), err)
	}
	return views, at, nil
}

// kinds of own records that there are any of, for a caller who asks for many ids:
// mostly there are none. Lost and paused are what a View says.
type kinds struct{ states, tombstones, problems, lost, paused bool }

// remembers tells which there are. Where there is no database, c is nil.
func (c *conn) remembers() (k kinds, err error) {
	if c == nil || !c.schema.own() {
		return k, nil
	}
	err = c.query(`SELECT EXISTS (SELECT 1 FROM mesh_controller_agents), EXISTS (SELECT 1 FROM mesh_controller_tombstones),
		EXISTS (SELECT 1 FROM mesh_controller_problems), (SELECT value FROM mesh_controller_meta WHERE key = ?) <> '',
		(SELECT value FROM mesh_controller_meta WHERE key = ?) <> ''`,
		func(r *row) { k = kinds{r.int(0) != 0, r.int(1) != 0, r.int(2) != 0, r.int(3) != 0, r.int(4) != 0} }, metaLost, metaPaused)
	return k, err
}

// view reads one id. Where there is no database, c is nil.
func (c *conn) view(id agent.ID, kept kinds) (v agent.View, err error) {
	if c == nil {
		return v, nil
	}
	v.Lost, v.Paused = kept.lost, kept.paused
	if c.schema.tables["agents"] {
		if v.Row, err = c.row(id); err != nil {
			return v, err
		}
	}
	if kept.states {
		st, found, err := c.state(id)
		if err != nil {
			return v, err
		}
		if found {
			state := c.decodeState(id, st)
			v.State = &state
		}
	}
	if kept.tombstones {
		if v.Tombstone, err = c.tombstone(id); err != nil {
			return v, err
		}
	}
	if kept.problems {
		v.Problems, err = c.problems(id)
	}
	return v, err
}

func (c *conn) standing(path string, at map[string]agent.ID) error {
	if c == nil || !c.schema.tables["agents"] {
		return nil
	}
	rec, err := c.incumbent(path)
	if err == nil && rec != nil {
		at[path] = rec.ID
	}
	return err
}
