// Package sim runs the real controller, its queue, planner and all, in virtual
// time on a model of the world: a disk with volumes, errnos and hangs, an index
// and a relay that fail before or after what they do, users that edit, move,
// copy, delete, unplug and restore backups, clocks that step and machines that
// sleep, and kills between any two calls. After every step the safety invariants
// hold; at the end everything is mended and everything converges.
//
// One seed is one run. A run that fails is shrunk to a script, which is kept in
// testdata once what it shows is mended.
package sim
