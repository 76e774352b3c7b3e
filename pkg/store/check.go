package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// QuickCheck looks for damaged pages in `agents` and in our own tables; it reads
// all of them. Damage is an *UnusableError of ErrCorrupt. It does not keep other
// calls waiting.
func (s *Store) QuickCheck(ctx context.Context) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	closed := s.closed
	s.leave()
	if closed {
		return errClosed
	}
	err := s.checkBeside(ctx)
	if err != nil {
		return fmt.Errorf("check the index: %w", err)
	}
	return nil
}

// checkBeside uses a connection of its own. It is one that could write, although
// it does not: should it be the last, it has to be able to remove the -wal.
func (s *Store) checkBeside(ctx context.Context) error {
	if s.readOnly {
		return s.survey(ctx, true)
	}
	head, err := readHeader(s.path)
	if err != nil {
		return err
	}
	c, err := s.openWriter(ctx, head)
	if err != nil {
		return s.explain(err)
	}
	err = c.reading(func() error {
		if c.schema, err = inspect(c, s.path); err != nil {
			return err
		}
		return s.check(c)
	})
	return s.explain(errors.Join(err, c.close()))
}

// check runs quick_check on every table that we use.
func (s *Store) check(c *conn) error {
	var problems []string
	for _, table := range slices.Sorted(maps.Keys(c.schema.tables)) {
		if table != "agents" && table != denialsTable && !strings.HasPrefix(table, ownPrefix) {
			continue
		}
		err := c.query(`PRAGMA quick_check('`+strings.ReplaceAll(table, "'", "''")+`')`, func(r *row) {
			if t := r.text(0); t != "ok" && len(problems) < 3 {
				problems = append(problems, t)
			}
		})
		if err != nil {
			return err
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return &UnusableError{Path: s.path, Kind: ErrCorrupt, Todo: corruptTodo, Err: errors.New(strings.Join(problems, "; "))}
}
