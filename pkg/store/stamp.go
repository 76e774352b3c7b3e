package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Every own write renews a random stamp in the index and in the lock file
// beside it. Where they differ when the index is opened, it was restored from a
// backup, replaced or lost: its clocks and tombstones speak of another time.
//
// The order within one write: the lock file names the stamps ahead too and is
// synced, the index commits with the first of them, the lock file names it as the
// last. A crash in between leaves an index that carries one of those. A commit
// that was not synced may be taken back by a power cut, with others before it, so
// the lock file keeps naming the stamps since the last commit or checkpoint that
// was. Each write has a stamp of its own, and none is used for two: the ones
// ahead are forgotten with the connection.
const (
	metaStamp = "stamp"
	metaLost  = "lost_since"
	metaFound = "lost_before" // metaLost, once the loss is over
)

func newStamp() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

func (c *conn) meta(key string) (value string, err error) {
	err = c.query(`SELECT value FROM mesh_controller_meta WHERE key = ?`, func(r *row) { value = r.text(0) }, key)
	return value, err
}

// compareStamp finds out whether this is the index that was last written, and
// records that it is not. A backup that was made while the index counted as lost
// brings an older date with it, which says nothing of this loss.
func (s *Store) compareStamp(c *conn) error {
	if s.lock == nil {
		return nil
	}
	stamp, err := c.meta(metaStamp)
	if err != nil {
		return err
	}
	note := s.lock.current()
	switch {
	case note.names(stamp):
		return errors.Join(s.lock.confirm(stamp, false), s.redate(c))
	case stamp == "" && !note.knows():
		return nil // first seen
	}
	s.memory.dirty = true
	return s.burst(c, true, s.now(), func(b *burst) error {
		return b.setMeta(metaLost, agent.FormatTime(b.at))
	})
}

// redate brings the date of a loss that lies in the future to now, once: the wall
// clock was set back behind it, and every clock would count as older than it.
func (s *Store) redate(c *conn) error {
	for _, key := range []string{metaLost, metaFound} {
		value, err := c.meta(key)
		if err != nil {
			return err
		}
		if !agent.ParseTime(value).After(s.now()) {
			continue
		}
		s.memory.dirty = true
		err = s.burst(c, true, s.now(), func(b *burst) error { return b.setMeta(key, agent.FormatTime(b.at)) })
		if err != nil {
			return err
		}
	}
	return nil
}

// lost reports whether the index is known to be lost and when that was found
// out, for a listing. A reader beside nobody compares the stamp itself; beside a
// controller that runs, that one has, and its lock file is about to change.
func (s *Store) lost(c *conn) (lost bool, at time.Time, err error) {
	since, err := c.meta(metaLost)
	if err != nil || since != "" {
		return since != "", agent.ParseTime(since), err
	}
	before, err := c.meta(metaFound)
	if err != nil || !s.readOnly {
		return false, agent.ParseTime(before), err
	}
	note := readNote(s.path + ".lock")
	if note.PID != 0 && alive(note.PID) {
		return false, agent.ParseTime(before), nil
	}
	stamp, err := c.meta(metaStamp)
	if lost = (stamp != "" || note.knows()) && !note.names(stamp); lost {
		return true, s.now(), err
	}
	return false, agent.ParseTime(before), err
}

func alive(pid int) bool { return unix.Kill(pid, 0) != unix.ESRCH }

// Found ends the state of a lost index: a complete sweep has ended. Where the
// index is not lost nothing is written.
func (s *Store) Found(ctx context.Context) error {
	err := s.write(ctx, true, s.now(), func(b *burst) error {
		since, err := b.c.meta(metaLost)
		if err != nil || since == "" {
			return err
		}
		if err := b.setMeta(metaFound, since); err != nil {
			return err
		}
		return b.exec(`DELETE FROM mesh_controller_meta WHERE key = ?`, metaLost)
	})
	if err != nil {
		return fmt.Errorf("record that the index was found: %w", err)
	}
	return nil
}
