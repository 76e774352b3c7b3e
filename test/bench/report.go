package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
)

// line of the table. Other and Ratio are nil where nothing is compared; a line
// that is skipped has nothing but the reason.
type line struct {
	Case    string  `json:"case"`
	Agents  int     `json:"agents"`
	Unit    string  `json:"unit,omitempty"`
	Ours    spread  `json:"ours,omitzero"`
	Other   *spread `json:"other,omitempty"`
	OtherIs string  `json:"otherIs,omitempty"`
	Ratio   *spread `json:"ratio,omitempty"`
	Gate    string  `json:"gate,omitempty"`
	Skipped string  `json:"skipped,omitempty"`
}

func write(w io.Writer, format string, lines []line) error {
	switch format {
	case "json":
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(lines)
	case "text":
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "CASE\tAGENTS\tUNIT\tOURS\tCOMPARED WITH\t\tRATIO\tGATE [GOAL]")
		for _, l := range lines {
			if l.Skipped != "" {
				fmt.Fprintf(t, "%s\t%d\tskipped: %s\n", l.Case, l.Agents, l.Skipped)
				continue
			}
			fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n", l.Case, l.Agents, l.Unit, &l.Ours, l.OtherIs, l.Other, l.Ratio, l.Gate)
		}
		return t.Flush()
	default:
		return fmt.Errorf("-o %s: text or json", format)
	}
}

// String is the median with the range, or nothing.
func (s *spread) String() string {
	if s == nil {
		return ""
	}
	return fmt.Sprintf("%.3g (%.3g-%.3g)", s.Median, s.Min, s.Max)
}
