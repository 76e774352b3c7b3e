package sim

import (
	"errors"
	"fmt"
)

var (
	errCrashed  = errors.New("the process dies here")
	errGone     = errors.New("the process is gone")
	errInjected = errors.New("injected")
)

// when a fault strikes: before the call had an effect, or after it.
type when uint8

const (
	before when = iota
	after
)

// faults are armed by a script.
type faults struct {
	calls []callFault
	// crash and meanwhile count down the calls that have an effect.
	crash     countdown
	meanwhile countdown
	// act is what somebody does then.
	act func()
}

// callFault makes the next calls of a port fail.
type callFault struct {
	call string
	when when
	left int
}

// countdown strikes at the n-th call; 0: not armed.
type countdown struct {
	left int
	when when
}

func (c *countdown) strikes(at when) bool {
	if c.left == 0 || c.when != at {
		return false
	}
	c.left--
	return c.left == 0
}

func (f *faults) take(call string, at when) error {
	for i := range f.calls {
		c := &f.calls[i]
		if c.call == call && c.when == at && c.left > 0 {
			c.left--
			return fmt.Errorf("%s: %w", call, errInjected)
		}
	}
	return nil
}

// armed reports whether anything may still strike.
func (f *faults) armed() bool {
	for _, c := range f.calls {
		if c.left > 0 {
			return true
		}
	}
	return f.crash.left > 0 || f.meanwhile.left > 0
}

// enter begins a port call.
func (l *life) enter(call string, effect bool) error {
	if l.dead {
		return errGone
	}
	if effect && l.faults.meanwhile.strikes(before) {
		l.faults.act()
	}
	if effect && l.faults.crash.strikes(before) {
		l.dead = true
		l.note("crash before %s", call)
		return errCrashed
	}
	if err := l.faults.take(call, before); err != nil {
		l.note("%s fails", call)
		return err
	}
	return nil
}

// act is a port call that has an effect.
func (l *life) act(call, about string, do func() error) error {
	if !l.dead {
		l.watch.hurries(call, about)
	}
	if err := l.enter(call, true); err != nil {
		return err
	}
	err := do()
	l.note("%s %s: %v", call, about, err)
	if l.faults.crash.strikes(after) {
		l.dead = true
		l.note("crash after %s", call)
		return errGone
	}
	if err == nil {
		if err = l.faults.take(call, after); err != nil {
			l.note("%s fails after its effect", call)
		}
	}
	return err
}
