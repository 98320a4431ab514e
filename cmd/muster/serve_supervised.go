package main

import (
	"context"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"muster/cmd/internal/server"
)

// supervised tells systemd, where that has started this program with Type=notify, that the server
// is ready; and feeds its watchdog, where it has one, as long as the server does its work. What it
// returns tells it that the server stops.
func supervised(ctx context.Context, s *server.Server, log logging) (stopping func()) {
	tell := func(state string) {
		if _, err := daemon.SdNotify(false, state); err != nil {
			log.say("systemd cannot be told %q: %v", state, err)
		}
	}
	tell(daemon.SdNotifyReady)
	ctx, end := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		within, err := daemon.SdWatchdogEnabled(false)
		if err != nil {
			log.say("the watchdog is not fed: %v", err)
		}
		if within > 0 {
			feed(ctx, within, s.Alive, func() { tell(daemon.SdNotifyWatchdog) }, log)
		}
	}()
	return func() {
		end()
		<-done
		tell(daemon.SdNotifyStopping)
	}
}

// feed feeds a watchdog that bites where it was not fed within some time. It asks twice in that
// time, so that one answer may be late.
func feed(ctx context.Context, within time.Duration, alive func(context.Context) error, fed func(),
	log logging) {
	turn := time.NewTicker(within / 2)
	defer turn.Stop()
	for {
		asking, done := context.WithTimeout(ctx, within/2)
		err := alive(asking)
		done()
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			log.say("the watchdog is not fed: %v", err)
		default:
			fed()
		}
		select {
		case <-turn.C:
		case <-ctx.Done():
			return
		}
	}
}
