package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mesh-registry/mesh-controller/internal/daemon"
)

func (a *app) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check everything the controller stands on, and say what to do",
		Long: `Check configuration, directories, rights, database, relay, DorkOS, lock, socket and
clock. No running daemon is needed, and nothing is changed.
Exit 0: nothing is wrong (hints are fine); 1: something is; 3: the database is.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd.Context()) },
	}
}

func (a *app) doctor(ctx context.Context) error {
	findings, err := a.findings(ctx)
	if err != nil {
		return err
	}
	wrong, exit := 0, exitOK
	for _, f := range findings {
		if f.Status != daemon.Problem {
			continue
		}
		wrong, exit = wrong+1, max(exit, exitFailed)
		if f.Name == daemon.CheckDatabase {
			exit = exitDatabase
		}
	}
	v := struct {
		OK     bool             `json:"ok"`
		Checks []daemon.Finding `json:"checks"`
	}{wrong == 0, findings}
	if err := a.print(v, func(w io.Writer) { writeFindings(w, findings) }); err != nil || wrong == 0 {
		return err
	}
	code := "problems"
	if exit == exitDatabase {
		code = "database"
	}
	first := findings[slices.IndexFunc(findings, func(f daemon.Finding) bool { return f.Status == daemon.Problem })]
	return &failure{exit, code, *first.Fix, errors.New(count(wrong, "problem") + ", the first: " + first.Message)}
}

// findings examines; settings that cannot be used are findings themselves,
// unless they are this command's own flags.
func (a *app) findings(ctx context.Context) ([]daemon.Finding, error) {
	s, err := a.load()
	var bad *daemon.SettingsError
	if err == nil {
		return daemon.Examine(ctx, s, a.build, a.now()), nil
	}
	if !errors.As(err, &bad) {
		return nil, err
	}
	var findings []daemon.Finding
	for _, p := range bad.Problems {
		if strings.HasPrefix(p.Source, "--") {
			return nil, err
		}
		fix := p.Hint
		if fix == "" {
			fix = "mend it, or take it out"
		}
		findings = append(findings, daemon.Finding{Name: "config", Status: daemon.Problem, Message: p.String(), Fix: &fix})
	}
	return findings, nil
}

func writeFindings(w io.Writer, findings []daemon.Finding) {
	for _, f := range findings {
		label := "ok     "
		switch f.Status {
		case daemon.Hint:
			label = "hint   "
		case daemon.Problem:
			label = "PROBLEM"
		case daemon.Healthy:
		}
		fmt.Fprintf(w, "%s  %-16s  %s\n", label, f.Name, printable(f.Message))
		if f.Fix != nil {
			fmt.Fprintf(w, "%27s-> %s\n", "", printable(*f.Fix))
		}
	}
}
