package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mesh-registry/mesh-controller/internal/daemon"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// Exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitPending     = 2 // plan found changes
	exitDatabase    = 3
	exitLocked      = 4
	exitPartial     = 5
	exitUsage       = 64
	exitInterrupted = 130
)

// failure is an error with what it means for the caller. Without err there is
// nothing to print: the data has said it.
type failure struct {
	exit int
	code string
	hint string
	err  error
}

// Error is the message.
func (f *failure) Error() string {
	if f.err == nil {
		return ""
	}
	return f.err.Error()
}

// Unwrap is the cause.
func (f *failure) Unwrap() error { return f.err }

func usagef(hint, message string, args ...any) *failure {
	return &failure{exitUsage, "usage", hint, fmt.Errorf(message, args...)}
}

// notFound gives an error that says so a hint of its own; any other stays.
func notFound(err error, hint string) error {
	if errors.Is(err, controller.ErrNotFound) {
		return &failure{exitFailed, "notFound", hint, err}
	}
	return err
}

// classify gives every error its exit code, code and hint.
func (a *app) classify(ctx context.Context, cmd *cobra.Command, err error) *failure {
	var (
		f        *failure
		settings *daemon.SettingsError
		database *daemon.DatabaseError
		locked   *daemon.LockedError
		listen   *daemon.ListenError
		refusal  *controller.Refusal
	)
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, errInterrupted), errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return &failure{exitInterrupted, "interrupted", "run it again: what was done stays, the rest is still to do", errInterrupted}
	case errors.As(err, &refusal) && refusal.Usage:
		return &failure{exitUsage, "usage", refusal.Hint, err}
	case errors.As(err, &refusal):
		return &failure{exitFailed, "refused", refusal.Hint, err}
	case errors.As(err, &settings):
		return &failure{exitUsage, "configuration", settings.Hint(), err}
	case errors.As(err, &database):
		return &failure{exitDatabase, "database", database.Todo, err}
	case errors.As(err, &locked):
		return &failure{exitLocked, "locked", lockedHint(locked), err}
	case errors.As(err, &listen):
		return &failure{exitFailed, "listen", `stop the program that has the address, or choose another with --listen-address ("" for none)`, err}
	case errors.Is(err, controller.ErrNotFound):
		return &failure{exitFailed, "notFound", "`mesh-controller agents` lists what there is; write a directory with a slash, as in ./project", err}
	case !a.started:
		return usageFailure(cmd, err)
	}
	return &failure{exitFailed, "failed", "run `mesh-controller doctor`, which says what is wrong", err}
}

func lockedHint(l *daemon.LockedError) string {
	if l.PID == 0 {
		return "wait until it is done, or stop it"
	}
	return fmt.Sprintf("wait until process %d is done, or stop it; if it is the daemon, give this command its --socket", l.PID)
}

// usageFailure is what the command line's own parser found.
func usageFailure(cmd *cobra.Command, err error) *failure {
	message, rest, _ := strings.Cut(err.Error(), "\n")
	hint := fmt.Sprintf("see `%s --help`", cmd.CommandPath())
	if fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(rest), "Did you mean this?")); len(fields) > 0 {
		hint = "did you mean " + strings.Join(fields, ", ") + "? " + hint
	}
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "" {
		hint = fmt.Sprintf("did you mean --%s? %s", daemon.Nearest(unknown.GetSpecifiedName(), flagNames(cmd)), hint)
	}
	return &failure{exitUsage, "usage", hint, errors.New(message)}
}

func flagNames(cmd *cobra.Command) []string {
	var names []string
	add := func(f *pflag.Flag) { names = append(names, f.Name) }
	cmd.Flags().VisitAll(add)
	cmd.InheritedFlags().VisitAll(add)
	return names
}

// report prints a failure: one JSON object where JSON was asked for, else a
// message and what to do.
func (a *app) report(f *failure) {
	if f.err == nil {
		return
	}
	if a.asJSON() {
		enc := json.NewEncoder(a.stderr)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(daemon.APIError{Error: daemon.ErrorBody{Code: f.code, Message: f.Error(), Hint: f.hint}})
		return
	}
	if f.exit == exitInterrupted {
		return // whoever interrupted knows
	}
	for _, line := range messages(f.err) {
		fmt.Fprintln(a.stderr, "mesh-controller: "+printable(strings.ReplaceAll(line, "\n", "; ")))
	}
	fmt.Fprintln(a.stderr, "hint: "+printable(f.hint))
}

// messages are the lines that an error is printed as.
func messages(err error) []string {
	var settings *daemon.SettingsError
	if !errors.As(err, &settings) {
		return []string{err.Error()}
	}
	var lines []string
	for _, p := range settings.Problems {
		lines = append(lines, p.String())
	}
	return lines
}

// say prints a message for people; never into JSON.
func (a *app) say(message string, args ...any) {
	if !a.asJSON() {
		fmt.Fprintln(a.stderr, "mesh-controller: "+fmt.Sprintf(message, args...))
	}
}
