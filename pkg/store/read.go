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
		lost, err := c.isLost()
		if err != nil {
			return err
		}
		for _, id := range ids {
			v, err := c.view(id)
			if err != nil {
				return err
			}
			v.Lost = lost
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

// view reads one id. Where there is no database, c is nil.
func (c *conn) view(id agent.ID) (v agent.View, err error) {
	if c == nil {
		return v, nil
	}
	if c.schema.tables["agents"] {
		if v.Row, _, err = c.row(id); err != nil {
			return v, err
		}
	}
	if !c.schema.own() {
		return v, nil
	}
	st, found, err := c.state(id)
	if err != nil {
		return v, err
	}
	if found {
		state := st.state(id)
		v.State = &state
	}
	if v.Tombstone, err = c.tombstone(id); err != nil {
		return v, err
	}
	v.Problems, err = c.problems(id)
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
