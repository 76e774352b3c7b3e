package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manual is the page of one command in the language of man(7).
func manual(cmd *cobra.Command, date time.Time, source string) []byte {
	cmd.InitDefaultHelpFlag()
	p := &page{}
	p.macro("TH", strings.ToUpper(manualName(cmd)), "1", date.UTC().Format("2006-01-02"), source, "")
	p.macro("SH", "NAME")
	p.line(escape(manualName(cmd)) + " \\- " + escape(cmd.Short))
	p.macro("SH", "SYNOPSIS")
	p.line("\\fB" + escape(cmd.UseLine()) + "\\fR")
	p.macro("SH", "DESCRIPTION")
	p.paragraphs(cmd.Long)
	if cmd.Long == "" {
		p.paragraphs(cmd.Short + ".")
	}
	p.options("OPTIONS", cmd.NonInheritedFlags())
	p.options("OPTIONS OF EVERY COMMAND", cmd.InheritedFlags())
	if cmd.HasExample() {
		p.macro("SH", "EXAMPLES")
		p.macro("EX")
		p.text(cmd.Example)
		p.macro("EE")
	}
	p.related(cmd)
	return p.Bytes()
}

// page is text with its requests, a line each.
type page struct{ bytes.Buffer }

func (p *page) line(s string) { p.WriteString(s + "\n") }

func (p *page) macro(name string, args ...string) {
	p.WriteString("." + name)
	for _, a := range args {
		fmt.Fprintf(p, " \"%s\"", strings.ReplaceAll(escape(a), `"`, `""`))
	}
	p.WriteByte('\n')
}

// text keeps its lines.
func (p *page) text(s string) {
	for l := range strings.Lines(s) {
		p.line(escape(strings.TrimSuffix(l, "\n")))
	}
}

func (p *page) paragraphs(s string) {
	for i, paragraph := range strings.Split(s, "\n\n") {
		if i > 0 {
			p.macro("PP")
		}
		p.text(paragraph)
	}
}

func (p *page) options(title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	p.macro("SH", title)
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		p.macro("TP")
		name := "\\fB" + escape("--"+f.Name) + "\\fR"
		if f.Shorthand != "" {
			name = "\\fB" + escape("-"+f.Shorthand) + "\\fR, " + name
		}
		if of, _ := pflag.UnquoteUsage(f); of != "" {
			name += " \\fI" + escape(of) + "\\fR"
		}
		p.line(name)
		p.text(f.Usage)
	})
}

// related are the pages of the command above and of those below.
func (p *page) related(cmd *cobra.Command) {
	var names []string
	if cmd.HasParent() {
		names = append(names, manualName(cmd.Parent()))
	}
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, manualName(c))
		}
	}
	if len(names) == 0 {
		return
	}
	p.macro("SH", "SEE ALSO")
	for i, n := range names {
		end := ","
		if i == len(names)-1 {
			end = ""
		}
		p.line("\\fB" + escape(n) + "\\fR(1)" + end)
	}
}

// escape keeps what is special in man(7): a backslash, a hyphen that is to stay
// one, and what would begin a request.
func escape(s string) string {
	s = manEscapes.Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = "\\&" + s
	}
	return s
}

var manEscapes = strings.NewReplacer(`\`, `\e`, `-`, `\-`)
