package store

import (
	"context"
	"fmt"
	"time"
)

// metaPaused is there while an operator has switched converging off.
const metaPaused = "paused_since"

// SetPaused records durably that converging is off for everybody, or on again.
// What is so already writes nothing.
func (s *Store) SetPaused(ctx context.Context, paused bool) error {
	err := s.write(ctx, true, time.Time{}, func(b *burst) error {
		since, err := b.c.meta(metaPaused)
		switch {
		case err != nil || paused == (since != ""):
			return err
		case paused:
			return b.setMeta(metaPaused, b.now())
		}
		return b.exec(`DELETE FROM mesh_controller_meta WHERE key = ?`, metaPaused)
	})
	if err != nil {
		return fmt.Errorf("record whether converging is off: %w", err)
	}
	return nil
}

func (sc *scan) paused(c *conn) error {
	since, err := c.meta(metaPaused)
	sc.listing.Paused = since != ""
	return err
}
