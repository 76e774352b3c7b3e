package daemon

import "fmt"

// DatabaseError says that the index cannot be used as it is and was not
// touched.
type DatabaseError struct {
	Err error
	// Todo is what to do about it.
	Todo string
}

// Error is that of the index, which names the file.
func (e *DatabaseError) Error() string { return e.Err.Error() }

// Unwrap is the index's own error.
func (e *DatabaseError) Unwrap() error { return e.Err }

// LockedError says that another process works on the index.
type LockedError struct {
	DB  string
	PID int // 0 where the lock does not say
	Err error
}

// Error names the holder.
func (e *LockedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("another process works on the index %s", e.DB)
	}
	return fmt.Sprintf("process %d works on the index %s", e.PID, e.DB)
}

// Unwrap is the lock's own error.
func (e *LockedError) Unwrap() error { return e.Err }
