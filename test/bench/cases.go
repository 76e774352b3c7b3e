package main

import (
	"context"
	"errors"
	"fmt"
)

// benchCase is one kind of measuring. Its run yields figures for the lines that
// are described beside it.
type benchCase struct {
	name  string
	sizes func(n int) bool
	run   func(context.Context, *bench, fleet) ([]figures, error)
	lines []kind
}

// kind of line. The gate is of the ratio where something is compared, else of
// our own figure; in brackets the goal.
type kind struct {
	name, unit string
	against    string // the floor or peer
	gate       func(n int) string
}

// figures of the rounds of one line; other is empty where nothing is compared.
type figures struct {
	line        string
	ours, other []float64
}

// skip is the reason why a case cannot be measured on this machine.
type skip string

func (s skip) Error() string { return string(s) }

var cases = []benchCase{
	{"size", only(50), measureBinary, []kind{{"size", "MB", "", gate("22")}}},
	{"cold", from(50), measureCold, []kind{
		{"cold", "s wall", "", gateAt(10_000, "4")},
		{"cold-cpu", "s CPU", "", none},
		{"cold-memory", "MiB", "", none},
	}},
	{"cold-peer", from(1000), measurePeer, []kind{{"cold-peer", "s wall", "fd and .import", gate("0.5 [0.35]")}}},
	{"cold-pipelined", from(50), measurePipelined, []kind{{"cold-pipelined", "s wall", "one pipeline", gate("1.15 [1.05]")}}},
	{"cold-growth", from(1000), measureGrowth, []kind{{"cold-growth", "s wall", "linear", gate("1.1")}}},
	{"quiet", from(50), measureQuiet, []kind{
		{"quiet", "ms CPU", "fstatat loop", gate("1.4 [1.15]")},
		{"quiet-writes", "bytes", "", gate("0")},
		{"memory", "MiB", "", memoryGate},
		{"fifty", "ms CPU", "", gate("1")},
	}},
	{"allocs", from(50), measureAllocs, []kind{{"allocs", "per agent", "", gate("0.05")}}},
	{"quiet-foreign-commit", from(1000), measureForeign, []kind{{"quiet-foreign-commit", "ms CPU", "fstatat loop", gate("1.75 [1.5]")}}},
	{"quiet-default-depth", from(50), measureDefaultDepth, []kind{{"quiet-default-depth", "ms CPU", "", gateAt(10_000, "150")}}},
	{"depth3", from(1000), measureDepth3, []kind{{"depth3", "ms CPU", "list all", gate("0.45 [0.4]")}}},
	{"syscalls", from(50), measureSyscalls, []kind{
		{"syscalls", "calls", "manifests", none},
		{"fsyncs", "calls", "", gate("0")},
	}},
	{"inode-cold", from(1000), measureInodeCold, []kind{{"inode-cold", "s wall", "64 fstatat loops", gate("1.5 [1.15]")}}},
	{"edit", from(50), measureEdit, []kind{
		{"edit", "ms wall", "fstatat loop", gate("1.35 [0.45]")},
		{"edit-row", "s wall", "", gateAt(100_000, "1.2")},
		{"edit-sync", "ms wall", "", gate("50")},
	}},
	{"missing", from(50), measureMissing, []kind{
		{"missing", "s wall", "3 quiet, writes", gate("1")},
		{"missing-sweeps", "sweeps", "", gate("1")},
	}},
	{"storm", from(50), measureStorm, []kind{{"storm", "s wall", "not locked", gate("1.5 [1.1]")}}},
	{"manners", from(1000), measureManners, []kind{
		{"manners", "ms p99", "", gate("10")},
		{"manners-busy", "errors", "", gate("0")},
	}},
	{"manners-hold", from(1000), measureHold, []kind{{"manners-hold", "ms p99", "", gate("5 [3]")}}},
	{"start", only(50), measureStart, []kind{
		{"start-empty", "ms wall", "", gate("15")},
		{"start", "ms wall", "", gate("15")},
	}},
	{"start-warm", from(1000), measureStartWarm, []kind{
		{"start-warm", "s wall", "", gateAt(10_000, "0.3")},
		{"start-warm-depth2", "s wall", "", gateAt(10_000, "0.3")},
	}},
	{"idle", from(50), measureIdle, []kind{
		{"idle", "% of a core", "", gate("0.15 [0.11]")},
		{"idle-wakeups", "per s", "", none},
	}},
}

func only(n int) func(int) bool { return func(m int) bool { return m == n } }
func from(n int) func(int) bool { return func(m int) bool { return m >= n } }

func none(int) string                { return "" }
func gate(g string) func(int) string { return func(int) string { return g } }

func gateAt(n int, g string) func(int) string {
	return func(m int) string {
		if m != n {
			return ""
		}
		return g
	}
}

func memoryGate(n int) string {
	if n > 10_000 {
		return "80 [48]"
	}
	return "32"
}

// measure runs the case and describes its figures. One that cannot run yields a
// line that says why.
func (c *benchCase) measure(ctx context.Context, b *bench, f fleet) ([]line, error) {
	rounds, err := c.run(ctx, b, f)
	if reason, ok := errors.AsType[skip](err); ok {
		return []line{{Case: c.name, Agents: f.n, Skipped: string(reason)}}, nil
	}
	if err != nil {
		return nil, err
	}
	lines := make([]line, len(rounds))
	for i, r := range rounds {
		k, err := c.kind(r.line)
		if err != nil {
			return nil, err
		}
		l := line{Case: k.name, Agents: f.n, Unit: k.unit, Ours: spreadOf(r.ours), Gate: k.gate(f.n)}
		if len(r.other) > 0 {
			l.OtherIs, l.Other, l.Ratio = k.against, new(spreadOf(r.other)), new(ratioOf(r.ours, r.other))
		}
		lines[i] = l
	}
	return lines, nil
}

func (c *benchCase) kind(line string) (kind, error) {
	for _, k := range c.lines {
		if k.name == line {
			return k, nil
		}
	}
	return kind{}, fmt.Errorf("no line %s", line)
}
