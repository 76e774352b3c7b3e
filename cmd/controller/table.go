package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// table prints rows in columns. The first row is the heading.
type table struct {
	rows [][]string
	// fit is how many characters a line may have; 0: as many as it takes.
	fit int
}

// table fits the terminal where there is one.
func (a *app) table(heading ...string) *table {
	return &table{rows: [][]string{heading}, fit: columns(a.stdout)}
}

func (t *table) row(cells ...string) {
	for i, c := range cells {
		if cells[i] = printable(c); c == "" {
			cells[i] = "-"
		}
	}
	t.rows = append(t.rows, cells)
}

func (t *table) write(w io.Writer) {
	widths := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, c := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	t.narrow(widths)
	for _, row := range t.rows {
		var line strings.Builder
		for i, c := range row {
			c = cut(c, widths[i])
			line.WriteString(c)
			line.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c)+columnGap))
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

const (
	columnGap = 2
	// leastColumn is what stays of a column that is cut: less says nothing.
	leastColumn = 8
)

// narrow takes from the last columns what a line has too much.
func (t *table) narrow(widths []int) {
	if t.fit == 0 {
		return
	}
	excess := -columnGap - t.fit
	for _, w := range widths {
		excess += w + columnGap
	}
	for i := len(widths) - 1; i > 0 && excess > 0; i-- {
		take := min(excess, max(0, widths[i]-leastColumn))
		widths[i] -= take
		excess -= take
	}
}

// cut shortens a text to n characters, and shows that it did.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// printable makes text from a manifest safe for a terminal: control and
// formatting characters are shown as escapes.
func printable(s string) string {
	if !strings.ContainsFunc(s, unprintable) && utf8.ValidString(s) {
		return s
	}
	var out strings.Builder
	for _, r := range s {
		if unprintable(r) || r == utf8.RuneError {
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// age is the time since t, as coarse as a reader needs it.
func (a *app) age(t controller.Time) string {
	if time.Time(t).IsZero() {
		return ""
	}
	return coarse(a.now().Sub(time.Time(t)))
}

// until is a time to come, with its distance.
func (a *app) until(t controller.Time) string {
	if time.Time(t).IsZero() {
		return ""
	}
	d := time.Time(t).Sub(a.now())
	if d <= 0 {
		return t.String() + " (due)"
	}
	return t.String() + " (in " + coarse(d) + ")"
}

func coarse(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < 0:
		return "0s"
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 2*day:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", d/day)
}

func orNone(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
