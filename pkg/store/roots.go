package store

import (
	"context"
	"fmt"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// root reads the current row of a query for path, mount_json, released_at.
func (r *row) root() agent.Root {
	return agent.Root{
		Path:       r.text(0),
		Mount:      decodeMount(r.text(1)),
		ReleasedAt: agent.ParseTime(r.text(2)),
	}
}

// CommitRoots records what is remembered of scan roots; other roots are left
// alone. Durable, and nothing is written where nothing differs.
func (s *Store) CommitRoots(ctx context.Context, roots []agent.Root) error {
	if len(roots) == 0 {
		return nil
	}
	err := s.write(ctx, true, time.Time{}, func(b *burst) error {
		for i := range roots {
			if err := b.root(&roots[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("record %d roots: %w", len(roots), err)
	}
	return nil
}

func (b *burst) root(root *agent.Root) error {
	mount, released := encodeMount(root.Mount), agent.FormatTime(root.ReleasedAt)
	same := false
	err := b.c.query(`SELECT path, mount_json, released_at FROM mesh_controller_roots WHERE path = ?`,
		func(r *row) { same = r.text(1) == mount && r.text(2) == released }, root.Path)
	if err != nil || same {
		return err
	}
	return b.exec(`INSERT INTO mesh_controller_roots (path, mount_json, released_at) VALUES (?, ?, ?)
		ON CONFLICT (path) DO UPDATE SET mount_json = excluded.mount_json, released_at = excluded.released_at`,
		root.Path, orNull(mount), orNull(released))
}

// CommitProblems replaces the recorded problems of which no id is known. One
// that stays keeps its since; nothing is written where nothing differs.
func (s *Store) CommitProblems(ctx context.Context, problems []agent.Problem) error {
	err := s.write(ctx, false, time.Time{}, func(b *burst) error { return b.setProblems("", problems) })
	if err != nil {
		return fmt.Errorf("record %d problems: %w", len(problems), err)
	}
	return nil
}
