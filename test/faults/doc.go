// Package faults lets the machine fail under the built program: volumes that
// are pulled, mounts that hang, power cuts on real file systems, kill -9 under
// load, a full disk, a locked or spoilt index, too few descriptors, a memory
// limit. What is promised for each is the failure table of docs/testing.md.
//
// The tests need root on Linux and the tag `faults` (make test-faults). They
// run in a mount namespace of their own, so that no mount outlives them or is
// seen by anybody else. A test whose fault cannot be made here skips and says
// why.
package faults
