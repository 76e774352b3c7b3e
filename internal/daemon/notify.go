package daemon

import (
	"context"
	"fmt"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"
)

// statusEvery is how often systemd's status line is renewed.
const statusEvery = 30 * time.Second

// notifySystemd sends a state; without a service manager it does nothing.
func (d *Daemon) notifySystemd(state string) {
	if _, err := systemd.SdNotify(false, state); err != nil {
		d.log.Debug("service manager was not notified", zap.Error(err))
	}
}

// keepNotifying tells systemd when the daemon is ready, how it stands, and that
// it lives as long as the worker loop makes progress.
func (d *Daemon) keepNotifying(ctx context.Context) {
	ready := d.parts.loop.Ready()
	status := time.NewTicker(statusEvery)
	defer status.Stop()
	watchdog, stop := d.watchdog()
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ready:
			ready = nil
			d.log.Info("ready", event(eventReady), zap.Duration("duration_ms", d.now().Sub(d.started)))
			d.notifySystemd(systemd.SdNotifyReady + "\nSTATUS=" + d.Status().line())
		case <-status.C:
			d.notifySystemd("STATUS=" + d.Status().line())
		case <-watchdog:
			if d.health.live() == nil {
				d.notifySystemd(systemd.SdNotifyWatchdog)
			}
		}
	}
}

func (d *Daemon) watchdog() (<-chan time.Time, func()) {
	every, err := systemd.SdWatchdogEnabled(false)
	if err != nil || every <= 0 {
		return nil, func() {}
	}
	t := time.NewTicker(every / 2)
	return t.C, t.Stop
}

func (d *Daemon) notifyReloading() {
	d.notifySystemd(fmt.Sprintf("%s\nMONOTONIC_USEC=%s", systemd.SdNotifyReloading, systemd.SdNotifyMonotonicUsec()))
}

func (d *Daemon) notifyReloaded() {
	if d.firstSweepDone() {
		d.notifySystemd(systemd.SdNotifyReady + "\nSTATUS=" + d.Status().line())
	}
}
