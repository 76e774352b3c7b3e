// Package crash stops the program at every system call that changes anything,
// one run per call: by kill -9 before it, and by letting it fail once with EIO
// and with ENOSPC. After one sync the world has to be exactly as it was before
// the command or as it is after it: no manifest lost, no file left over, no row
// without its address.
//
// The calls are counted and stopped from outside, by a seccomp filter that asks
// the test about each of them in turn (Linux 5.19 on amd64), so that every call
// of every thread is hit and none twice.
package crash
