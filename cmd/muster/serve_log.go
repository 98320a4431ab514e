package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"muster/cmd/internal/server"
	"muster/events/problem"
)

// A logging is how a server says what happens, on the standard error: as a person reads it, or as
// JSON, a line for each.
type logging struct {
	format, level string
	to            io.Writer
}

// watchFlags are for whoever runs a server and watches it.
func watchFlags(c *cobra.Command, cfg *server.Config, l *logging) {
	f := c.Flags()
	f.StringVar(&cfg.Admin, "admin", "",
		"address at which metrics (/metrics, for Prometheus) and the server's health are told, "+
			"such as 127.0.0.1:9464 (default: none)")
	f.BoolVar(&cfg.AdminAnyone, "admin-anyone", false,
		"let other machines reach --admin: whoever does reads, without signing in, how much is "+
			"recorded, asked and refused, and when")
	l.flags(c, "info (with a line for each statement and each refusal, without what it says)")
	section(c, "What the operator watches", "admin", "admin-anyone", "log-format", "log-level")
}

// flags say how the log is written; info is what its level of that name has.
func (l *logging) flags(c *cobra.Command, info string) {
	c.Flags().StringVar(&l.format, "log-format", "text",
		"how the server writes its log, to the standard error: text, or json, an object in each "+
			"line")
	c.Flags().StringVar(&l.level, "log-level", "warn",
		"what it writes there at least: debug, "+info+", warn or error")
}

// handler makes what the log goes through.
func (l logging) handler(level slog.Level) slog.Handler {
	opts := &slog.HandlerOptions{Level: level}
	if l.format == "json" {
		return slog.NewJSONHandler(l.to, opts)
	}
	return slog.NewTextHandler(l.to, opts)
}

// logger returns the log that the flags ask for.
func (l logging) logger() (*slog.Logger, error) {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo,
		"warn": slog.LevelWarn, "error": slog.LevelError}
	level, ok := levels[l.level]
	if !ok {
		return nil, usage("--log-level %q: write debug, info, warn or error", l.level)
	}
	if l.format != "text" && l.format != "json" {
		return nil, usage("--log-format %q: write text or json", l.format)
	}
	return slog.New(l.handler(level)), nil
}

// say tells the person who has started the server how far it is, whatever the level.
func (l logging) say(format string, args ...any) {
	if l.format == "json" {
		slog.New(l.handler(slog.LevelInfo)).Info(fmt.Sprintf(format, args...))
		return
	}
	fmt.Fprintf(l.to, "muster: "+format+"\n", args...)
}

// ended tells why the server has not started, or has ended by itself, as a line of its log, which
// is JSON: what collects it need not read another form.
func (l logging) ended(err error) error {
	var exit exitWith
	if errors.As(err, &exit) {
		return err
	}
	p := problem.From(err)
	told := []any{"why", p.Detail, "problem", p.Kind.Slug, "exit", p.Kind.Exit}
	if p.Hint != "" {
		told = append(told, "remedy", p.Hint)
	}
	slog.New(l.handler(slog.LevelError)).Error("the server has ended", told...)
	return exitWith(p.Kind.Exit)
}
