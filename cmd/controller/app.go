package main

import (
	"context"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"golang.org/x/term"

	"github.com/mesh-registry/mesh-controller/internal/daemon"
)

// app is one invocation.
type app struct {
	args           []string
	stdout, stderr io.Writer
	now            func() time.Time
	build          daemon.Build

	output  format
	flags   settingFlags
	started bool // a command runs: what fails now is no longer usage
}

// main runs the command and returns the exit code.
func (a *app) main() int {
	ctx, stop := interruptible(context.Background())
	defer stop()
	root := a.root()
	root.SetArgs(a.args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	f := a.classify(ctx, cmd, err)
	a.report(f)
	return f.exit
}

// asJSON reports whether errors are wanted as JSON. Flags that could not be
// parsed say so nevertheless.
func (a *app) asJSON() bool { return a.output == formatJSON || wantsJSON(a.args) }

// settings resolves every setting and warns about unusual ones.
func (a *app) settings() (*daemon.Settings, error) {
	s, err := a.load()
	if err != nil {
		return nil, err
	}
	for _, w := range s.Warnings {
		a.say("warning: %s", w)
	}
	return s, nil
}

func (a *app) load() (*daemon.Settings, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	return daemon.Load(daemon.Input{
		Flags: a.flags.given(), LookupEnv: os.LookupEnv, UserHome: os.UserHomeDir, Dir: dir,
	})
}

// log is for commands that answer one question: silent, unless a level was
// asked for on the command line.
func (a *app) log(s *daemon.Settings) *zap.Logger {
	if s.Origin("log-level") != daemon.FromFlag {
		return zap.NewNop()
	}
	return daemon.NewLog(a.stderr, s.LogLevel, s.LogFormat).Logger
}

// session opens index and relay for reading.
func (a *app) session(ctx context.Context) (*daemon.Session, error) {
	s, err := a.settings()
	if err != nil {
		return nil, err
	}
	return daemon.OpenSession(ctx, s, a.build, a.log(s))
}

// ask opens a session for one question.
func (a *app) ask(cmd *cobra.Command, question func(context.Context, *daemon.Session) error) error {
	session, err := a.session(cmd.Context())
	if err != nil {
		return err
	}
	err = question(cmd.Context(), session)
	if closed := session.Close(); err == nil {
		err = closed
	}
	return err
}

// columns of the terminal that w is; 0 where it is none.
func columns(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
