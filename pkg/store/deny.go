package store

import (
	"context"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Deny puts a real path on the deny list: DorkOS's where there is one, else
// ours. Denying it again is not an error and writes nothing.
func (s *Store) Deny(ctx context.Context, path, reason string, now time.Time) error {
	err := s.write(ctx, true, now, func(b *burst) error { return b.deny(path, reason) })
	if err != nil {
		return fmt.Errorf("deny %s: %w", path, err)
	}
	return nil
}

// Undeny takes a path off the deny list and reports whether it was on it.
func (s *Store) Undeny(ctx context.Context, path string) (found bool, err error) {
	err = s.write(ctx, true, time.Time{}, func(b *burst) error {
		table := b.c.schema.denials
		found, err = b.c.exists(`SELECT 1 FROM `+table+` WHERE path = ?`, path)
		if err != nil || !found {
			return err
		}
		return b.exec(`DELETE FROM `+table+` WHERE path = ?`, path)
	})
	if err != nil {
		return false, fmt.Errorf("undeny %s: %w", path, err)
	}
	return found, nil
}

// Denials lists the deny list in the order of its paths.
func (s *Store) Denials(ctx context.Context) ([]agent.Denial, error) {
	var list []agent.Denial
	err := s.glance(ctx, func(c *conn) error {
		list = nil
		if c == nil || c.schema.denials == "" {
			return nil
		}
		return c.query(`SELECT path, reason, created_at FROM `+c.schema.denials+` ORDER BY path`, func(r *row) {
			list = append(list, agent.Denial{Path: r.text(0), Reason: r.text(1), Since: agent.ParseTime(r.text(2))})
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read the deny list: %w", err)
	}
	return list, nil
}

// deny puts a path on the deny list that there is.
func (b *burst) deny(path, reason string) error {
	table := b.c.schema.denials
	found, err := b.c.exists(`SELECT 1 FROM `+table+` WHERE path = ?`, path)
	if err != nil || found {
		return err
	}
	if table == ownDenials {
		return b.exec(`INSERT INTO `+table+` (path, reason, created_at) VALUES (?, ?, ?)`, path, orNull(reason), b.now())
	}
	id, err := ulid.New(ulid.Timestamp(b.at), ulid.DefaultEntropy())
	if err != nil {
		return err
	}
	return b.exec(`INSERT INTO `+table+` (id, path, reason, denier, created_at) VALUES (?, ?, ?, ?, ?)`,
		id.String(), path, orNull(reason), "mesh-controller", b.now())
}
