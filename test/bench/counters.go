package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// counters of a daemon at one moment, or their growth.
type counters struct {
	sweeps   float64
	cpu      float64 // seconds
	written  float64 // bytes that went to disk
	switches float64 // voluntary context switches
	hwm      float64 // MiB at most, not a growth
}

// window is what the daemon did while it was let run for a time, and in a sweep
// that goes on then. It is halted afterwards. Reading the counters costs the
// daemon more than a small sweep, so its CPU and switches are read inside of the
// scrapes.
func (d *daemon) window(ctx context.Context, length time.Duration) (counters, error) {
	var c counters
	if err := d.signal(syscall.SIGCONT); err != nil {
		return c, err
	}
	from, err := d.scrape()
	if err != nil {
		return c, err
	}
	if err := d.own(&from); err != nil {
		return c, err
	}
	if err := pause(ctx, length); err != nil {
		return c, err
	}
	var inner counters
	if err := d.own(&inner); err != nil {
		return c, err
	}
	to, err := d.scrape()
	if err != nil {
		return c, err
	}
	return counters{
		sweeps: to.sweeps - from.sweeps,
		cpu:    inner.cpu - from.cpu, switches: inner.switches - from.switches,
		written: to.written - from.written, hwm: to.hwm,
	}, d.signal(syscall.SIGSTOP)
}

// awaitSweep lets the daemon run until a sweep has just ended, so that a window
// which begins then holds whole ones.
func (d *daemon) awaitSweep(ctx context.Context) error {
	if err := d.signal(syscall.SIGCONT); err != nil {
		return err
	}
	before, err := d.scrape()
	if err != nil {
		return err
	}
	for now := before; now.sweeps == before.sweeps; {
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
		if now, err = d.scrape(); err != nil {
			return err
		}
	}
	_, err = d.idle()
	return err
}

// swept is the wall time and CPU of one ordered sweep and nothing else, in
// seconds. The daemon must have no interval.
type swept struct {
	outcome
	wall, cpu float64
}

func (d *daemon) measureSweep(ctx context.Context) (s swept, err error) {
	from, err := d.scrape()
	if err != nil {
		return s, err
	}
	before, err := d.idle()
	if err != nil {
		return s, err
	}
	began := time.Now()
	if s.outcome, err = d.sweep(ctx); err != nil {
		return s, err
	}
	s.wall = time.Since(began).Seconds()
	after, err := d.idle()
	if err != nil {
		return s, err
	}
	s.cpu = after - before
	to, err := d.scrape()
	if err == nil && to.sweeps-from.sweeps != 1 {
		err = fmt.Errorf("%v sweeps instead of one", to.sweeps-from.sweeps)
	}
	return s, err
}

// idle waits for the end of a sweep that is going on: no CPU for 30 ms.
func (d *daemon) idle() (float64, error) {
	for {
		before, err := processCPU(d.pid())
		if err != nil {
			return 0, err
		}
		time.Sleep(30 * time.Millisecond)
		after, err := processCPU(d.pid())
		if err != nil || after-before < 0.0005 {
			return after, err
		}
	}
}

// own reads what costs the daemon nothing, when it is idle.
func (d *daemon) own(c *counters) (err error) {
	if c.cpu, err = d.idle(); err != nil {
		return err
	}
	c.switches, err = voluntarySwitches(d.pid())
	return err
}

func (d *daemon) scrape() (counters, error) {
	var c counters
	text, err := d.get("/metrics")
	if err != nil {
		return c, err
	}
	var errs [3]error
	c.sweeps, errs[0] = sumMetric(text, "mesh_controller_sweeps_total")
	c.written, errs[1] = procField(d.pid(), "io", "write_bytes")
	c.hwm, errs[2] = procField(d.pid(), "status", "VmHWM")
	c.hwm /= 1024
	return c, errors.Join(errs[:]...)
}

// sumMetric adds up the series of one metric. One that is not there is an
// error: it must not look like 0.
func sumMetric(text, name string) (float64, error) {
	total, found := 0.0, false
	for l := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(l, name)
		if !ok || rest == "" || rest[0] != ' ' && rest[0] != '{' {
			continue
		}
		fields := strings.Fields(rest)
		v, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err != nil {
			return 0, fmt.Errorf("metric %s: %w", name, err)
		}
		total, found = total+v, true
	}
	if !found {
		return 0, fmt.Errorf("no metric %s", name)
	}
	return total, nil
}
