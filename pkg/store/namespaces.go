package store

import (
	"context"
	"fmt"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Vacant tells which of these namespaces no row names, and which no system
// agent's row names. Read fresh, in one pass over the index.
func (s *Store) Vacant(ctx context.Context, namespaces []string) (map[string]agent.Vacancy, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.leave()
	var vacant map[string]agent.Vacancy
	err := s.read(ctx, func(c *conn) error {
		vacant = make(map[string]agent.Vacancy, len(namespaces))
		for _, n := range namespaces {
			vacant[n] = agent.Vacancy{Empty: true, NoSystem: true}
		}
		if c == nil || len(namespaces) == 0 || !c.schema.tables["agents"] {
			return nil
		}
		return c.occupants(vacant)
	})
	if err != nil {
		return nil, fmt.Errorf("look for occupants of %d namespaces: %w", len(namespaces), err)
	}
	return vacant, nil
}

func (c *conn) occupants(vacant map[string]agent.Vacancy) error {
	system := `0`
	if c.schema.present.Has(agent.FieldIsSystem) {
		system = `max(is_system = 1)`
	}
	return c.query(`SELECT namespace, `+system+` FROM agents GROUP BY namespace`, func(r *row) {
		v, asked := vacant[r.text(0)]
		if !asked {
			return
		}
		v.Empty = false
		v.NoSystem = v.NoSystem && r.int(1) == 0
		vacant[r.text(0)] = v
	})
}

// ForgetLeft drops the record of namespaces whose rules are settled. Forgetting
// one that is not recorded is not an error and writes nothing.
func (s *Store) ForgetLeft(ctx context.Context, namespaces []string) error {
	if len(namespaces) == 0 {
		return nil
	}
	err := s.write(ctx, false, time.Time{}, func(b *burst) error {
		for _, n := range namespaces {
			found, err := b.c.exists(`SELECT 1 FROM mesh_controller_left WHERE namespace = ?`, n)
			if err == nil && found {
				err = b.exec(`DELETE FROM mesh_controller_left WHERE namespace = ?`, n)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("forget %d left namespaces: %w", len(namespaces), err)
	}
	return nil
}
