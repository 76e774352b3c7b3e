// Package memory is a relay that lives in memory, for tests of everything
// above a relay. It keeps the promises of relay.Backend and passes the same
// suite as the real ones; what the world does to a relay behind its back is
// done to it by the methods of world.go.
package memory
