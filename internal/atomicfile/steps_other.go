//go:build !linux

package atomicfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// unnamed: there is no such thing, and opening a directory for writing says so.
const unnamed = unix.O_DIRECTORY

func linkUnnamed(*os.File, int, string) error { return unix.ENOSYS }

func renameExchange(int, string, string) error { return unix.ENOSYS }

func renameNoReplace(int, string, int, string) error { return unix.ENOSYS }
