package main

import (
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
)

// A bar shows on the terminal how far long work has come, on standard error; elsewhere it says
// nothing.
type bar struct {
	writer  progress.Writer
	tracker *progress.Tracker
	ended   chan struct{}
}

// bar begins to show work of so many steps. The caller ends it.
func (a *app) bar(what string, steps uint64) *bar {
	b := &bar{tracker: &progress.Tracker{Message: what, Total: int64(steps)},
		ended: make(chan struct{})}
	if !fancy(a.stderr) {
		close(b.ended)
		return b
	}
	b.writer = progress.NewWriter()
	b.writer.SetOutputWriter(own(a.stderr))
	b.writer.SetUpdateFrequency(100 * time.Millisecond)
	b.writer.SetTrackerPosition(progress.PositionRight)
	b.writer.Style().Visibility.ETA = true
	b.writer.AppendTracker(b.tracker)
	go func() {
		b.writer.Render()
		close(b.ended)
	}()
	return b
}

// at says how many steps are done.
func (b *bar) at(done uint64) { b.tracker.SetValue(int64(done)) }

// end takes the bar away from further writing, done or not.
func (b *bar) end() {
	if b.writer == nil {
		return
	}
	if !b.tracker.IsDone() {
		b.tracker.MarkAsErrored()
	}
	b.writer.Stop()
	<-b.ended
}
