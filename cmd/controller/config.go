package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mesh-registry/mesh-controller/internal/daemon"
)

func (a *app) configCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "Show or check the settings",
		Args:  cobra.ArbitraryArgs,
		RunE:  group,
	}
	c.AddCommand(
		&cobra.Command{
			Use:   "view",
			Short: "Print the effective value of every setting and where it comes from",
			Args:  cobra.NoArgs,
			RunE:  func(*cobra.Command, []string) error { return a.configView() },
		},
		&cobra.Command{
			Use:   "validate",
			Short: "Check flags, environment and file; exit 64 and name every bad value",
			Args:  cobra.NoArgs,
			RunE:  func(*cobra.Command, []string) error { return a.configValidate() },
		},
	)
	return c
}

// configFile is the file that was read; null for none.
func configFile(s *daemon.Settings) *string {
	if s.File == "" {
		return nil
	}
	return &s.File
}

func (a *app) configView() error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	v := struct {
		File     *string        `json:"file"`
		Settings []daemon.Value `json:"settings"`
	}{configFile(s), s.Values}
	return a.print(v, func(w io.Writer) {
		t := a.table("SETTING", "VALUE", "ORIGIN", "SOURCE")
		for _, v := range s.Values {
			t.row(v.Name, valueText(v.Value), string(v.Origin), orNone(v.Source))
		}
		t.write(w)
	})
}

func valueText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		if v == "" {
			return `""`
		}
		return v
	case []string:
		return strings.Join(v, ",")
	}
	b, _ := json.Marshal(v) // a number or a bool
	return string(b)
}

func (a *app) configValidate() error {
	s, err := a.settings()
	if err == nil {
		err = s.CheckWebConfig()
	}
	if err != nil {
		return err
	}
	v := struct {
		Valid    bool     `json:"valid"`
		File     *string  `json:"file"`
		Warnings []string `json:"warnings"`
	}{true, configFile(s), append([]string{}, s.Warnings...)}
	return a.print(v, func(w io.Writer) {
		if v.File == nil {
			fmt.Fprintln(w, "the settings are valid; there is no configuration file")
			return
		}
		fmt.Fprintf(w, "the settings are valid; read %s\n", printable(*v.File))
	})
}
