package store

// Unclean reports whether a controller died with the lock and what it may have
// left beside manifests has not been cleared since. Without a lock nothing is
// known: false.
func (s *Store) Unclean() bool {
	return s.lock != nil && s.lock.current().Unclean
}

// Cleared records that it was. Calling it again writes nothing.
func (s *Store) Cleared() error {
	if s.lock == nil {
		return nil
	}
	return s.lock.cleared()
}
