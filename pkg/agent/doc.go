// Package agent holds the vocabulary that every other package shares: what an
// agent's manifest says, what the index records of it, where the relay
// delivers its mail, and what a look at the disk can prove.
//
// It is a leaf. It does no I/O, reads no clock and imports no other package of
// this module, so that a type here can cross every port.
package agent
