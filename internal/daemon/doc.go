// Package daemon turns settings into a running sidecar: it resolves the
// settings, wires the adapters to the controller (the only place that does),
// holds the lock, serves the loopback listener and the unix socket, talks to
// systemd, and takes everything down again in the right order. Commands that
// need no daemon open the same parts for one question.
//
// Signals and exit codes are not known here; see cmd/controller.
package daemon
