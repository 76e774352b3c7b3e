package store

import (
	"context"
	"fmt"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Named lists the agents of this name, by their ids.
func (s *Store) Named(ctx context.Context, name string) ([]agent.ID, error) {
	var ids []agent.ID
	err := s.glance(ctx, func(c *conn) error {
		ids = nil
		if c == nil || !c.schema.tables["agents"] {
			return nil
		}
		return c.query(`SELECT id FROM agents WHERE name = ? ORDER BY id`, func(r *row) { ids = append(ids, r.rowID()) }, name)
	})
	if err != nil {
		return nil, fmt.Errorf("look for agents named %q: %w", name, err)
	}
	return ids, nil
}
