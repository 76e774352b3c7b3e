package sim

import (
	"fmt"
	"strings"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// script is a run that can be told again: what was drawn at random is written
// out in it.
type script struct {
	seed    uint64
	options controller.Options
	steps   []line
}

// line is a step: what passes before it, and what is done then.
type line struct {
	wait time.Duration
	word string
	args []string
}

func (l line) String() string {
	return strings.Join(append([]string{l.wait.String(), l.word}, l.args...), " ")
}

// options that a script may set, and how they are written.
var optionWords = []struct {
	name  string
	value func(*controller.Options) any
}{
	{"resync-interval", func(o *controller.Options) any { return &o.ResyncInterval }},
	{"orphan-grace", func(o *controller.Options) any { return &o.OrphanGrace }},
	{"settle", func(o *controller.Options) any { return &o.Settle }},
	{"unmounted-grace", func(o *controller.Options) any { return &o.UnmountedGrace }},
	{"mass-missing-ratio", func(o *controller.Options) any { return &o.MassMissingRatio }},
	{"mass-missing-hold", func(o *controller.Options) any { return &o.MassMissingHold }},
}

// baseOptions are those of the command line, one worker at a time.
func baseOptions() controller.Options {
	o := controller.DefaultOptions()
	o.Workers = 1
	o.ScanRoots = scanRoots
	o.ManagedHome = managedHome
	return o
}

func (s *script) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d\n", s.seed)
	for _, w := range optionWords {
		switch v := w.value(&s.options).(type) {
		case *time.Duration:
			fmt.Fprintf(&b, "option %s %v\n", w.name, *v)
		case *float64:
			fmt.Fprintf(&b, "option %s %v\n", w.name, *v)
		}
	}
	for _, l := range s.steps {
		b.WriteString(l.String() + "\n")
	}
	return b.String()
}

// parse reads what String wrote. Empty lines and # comments are for people.
func parse(text string) (*script, error) {
	s := &script{options: baseOptions()}
	for n, raw := range strings.Split(text, "\n") {
		raw, _, _ = strings.Cut(raw, "#")
		words := strings.Fields(raw)
		if len(words) == 0 {
			continue
		}
		if err := s.take(words); err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
	}
	return s, nil
}

func (s *script) take(words []string) error {
	switch {
	case words[0] == "seed" && len(words) == 2:
		_, err := fmt.Sscan(words[1], &s.seed)
		return err
	case words[0] == "option" && len(words) == 3:
		for _, w := range optionWords {
			if w.name != words[1] {
				continue
			}
			switch v := w.value(&s.options).(type) {
			case *time.Duration:
				d, err := time.ParseDuration(words[2])
				*v = d
				return err
			case *float64:
				_, err := fmt.Sscan(words[2], v)
				return err
			}
		}
		return fmt.Errorf("no such option: %s", words[1])
	case len(words) < 2:
		return fmt.Errorf("not a step: %q", words)
	}
	wait, err := time.ParseDuration(words[0])
	if err != nil {
		return err
	}
	s.steps = append(s.steps, line{wait, words[1], words[2:]})
	return nil
}
