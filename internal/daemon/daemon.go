package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Daemon is the running sidecar: the controller, its listeners, the lock.
type Daemon struct {
	build   Build
	log     *Log
	now     func() time.Time
	started time.Time
	parts   *parts
	health  *health

	unlock func() error
	tcp    net.Listener // nil: off
	socket *socket

	mu       sync.Mutex
	settings *Settings
}

// Start takes everything that only one process may have (the lock of the index
// first), opens the index, and listens. What fails is undone, and nothing of a
// daemon that already runs is touched. Call Run next, or Close.
func Start(ctx context.Context, s *Settings, b Build, log *Log) (*Daemon, error) {
	lock, err := lockIndex(s)
	if err != nil {
		return nil, err
	}
	parts, err := open(ctx, s, serving, lock, b, log.Logger)
	if err != nil {
		return nil, errors.Join(err, lock.Release())
	}
	d := newDaemon(s, b, log, parts)
	d.unlock = lock.Release
	if err := d.listen(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func newDaemon(s *Settings, b Build, log *Log, p *parts) *Daemon {
	d := &Daemon{build: b, log: log, now: p.now, started: p.now(), parts: p, settings: s}
	d.unlock = func() error { return nil }
	d.health = &health{
		now: p.now, progress: p.loop.Progress, swept: p.loop.Ready(),
		writable: p.writable, written: p.written, relayReadable: p.relayReadable,
	}
	return d
}

// current settings; they are replaced by a reload, never changed.
func (d *Daemon) current() *Settings {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.settings
}

func (d *Daemon) config() *Config { return &d.current().Config }

func (d *Daemon) listen() error {
	c := d.config()
	if c.ListenAddress != "" {
		if err := c.CheckWebConfig(); err != nil {
			return err
		}
		l, err := net.Listen("tcp", c.ListenAddress)
		if err != nil {
			return &ListenError{Address: c.ListenAddress, Err: err}
		}
		d.tcp = l
	}
	s, err := listenSocket(c.Socket, d.log.Logger)
	if errors.Is(err, errSocketServed) && c.SocketFallback != "" {
		s, err = listenSocket(c.SocketFallback, d.log.Logger)
	}
	d.socket = s
	return err
}

// ListenError says that the loopback address cannot be had.
type ListenError struct {
	Address string
	Err     error
}

// Error is the system's, which names the address.
func (e *ListenError) Error() string { return e.Err.Error() }

// Unwrap is the system's error.
func (e *ListenError) Unwrap() error { return e.Err }

func (d *Daemon) socketPath() string {
	if d.socket == nil {
		return ""
	}
	return d.socket.path
}

func (d *Daemon) firstSweepDone() bool { return d.health.sweepDone() == nil }

// Resync asks for a forced full sweep: every manifest is read, backoff is
// cleared. Requests that come while one waits are that one.
func (d *Daemon) Resync() { d.parts.loop.Trigger("signal", true) }

// Close lets go of everything, in the order in which nothing can be used after
// it is gone; it waits for nothing that hangs. It may be called twice.
func (d *Daemon) Close() error {
	if d.tcp != nil {
		_ = d.tcp.Close() // the server may have closed it
	}
	if d.socket != nil {
		_ = d.socket.Close()
	}
	return errors.Join(letGo("index", d.parts.close), letGo("lock", d.unlock))
}

// letGoWithin bounds one step of leaving. A mount that hangs must not keep the
// lock from being given up.
const letGoWithin = 400 * time.Millisecond

func letGo(what string, f func() error) error {
	err := bounded(context.Background(), letGoWithin, func(context.Context) error { return f() })
	if err != nil {
		return fmt.Errorf("let go of the %s: %w", what, err)
	}
	return nil
}

// Reload applies settings that were read anew. It returns the names of changed
// settings that take a restart.
func (d *Daemon) Reload(s *Settings) (restart []string, err error) {
	d.notifyReloading()
	defer d.notifyReloaded()
	d.mu.Lock()
	old := d.settings
	changed, restart := changes(old, s)
	next := *s
	keepFixed(&next.Config, &old.Config)
	d.settings = &next
	d.mu.Unlock()
	d.log.SetLevel(next.LogLevel)
	if err := d.parts.reload(&next.Config); err != nil {
		d.mu.Lock()
		d.settings = old
		d.mu.Unlock()
		d.log.SetLevel(old.LogLevel)
		return nil, err
	}
	d.log.Info("configuration reloaded", event(eventReloaded), zap.String("file", s.File),
		zap.Strings("changed", changed), zap.Strings("restart", restart))
	return restart, nil
}
