//go:build !linux

package atomicfile

import "golang.org/x/sys/unix"

func renameExchange(int, string, string) error { return unix.ENOSYS }

func renameNoReplace(int, string, int, string) error { return unix.ENOSYS }
