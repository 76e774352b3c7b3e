package story

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing/synctest"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// mint makes ids that a story can name: N1, N2, ...
func (s *story) mint(time.Time) agent.ID {
	s.minted++
	return agent.ID("N" + strconv.Itoa(s.minted))
}

// order gives an order to the running controller, or to one for its length, and
// prints what came of it.
func (s *story) order(give func(*controller.Controller) (controller.Outcome, error)) []string {
	s.Helper()
	if !s.w.Running() {
		o := s.w.Options
		s.w.Options.OneShot = true
		defer func() { s.w.Options = o }()
		s.w.Start()
		defer s.w.Stop()
	}
	out, err := give(s.w.Loop())
	synctest.Wait()
	if err != nil {
		return s.failed(err)
	}
	line := fmt.Sprintf("%s %s %s", out.ID, out.Reason, s.short(out.Path))
	if out.Message != "" {
		line += ": " + s.short(out.Message)
	}
	if !out.Finished {
		line += " (unfinished)"
	}
	return []string{line}
}

// failed prints an error: refused, or what went wrong.
func (s *story) failed(err error) []string {
	var r *controller.Refusal
	if !errors.As(err, &r) {
		return []string{"error: " + strings.ReplaceAll(s.short(err.Error()), "\n", "; ")}
	}
	kind := "refused: "
	if r.Usage {
		kind = "misused: "
	}
	return []string{kind + s.short(r.Message), "hint: " + s.short(r.Hint)}
}

func (s *story) short(text string) string { return strings.ReplaceAll(text, s.w.Dir+"/", "") }

// doRegister reads PATH [name=N] [runtime=R] [namespace=N] [description=D] [capabilities=a,b] [-force].
func doRegister(s *story, args []string) []string {
	req := controller.RegisterRequest{Path: s.path(args[0])}
	for _, a := range args[1:] {
		k, v, _ := strings.Cut(a, "=")
		switch k {
		case "name":
			req.Name = v
		case "runtime":
			req.Runtime = v
		case "namespace":
			req.Namespace = &v
		case "description":
			req.Description = &v
		case "capabilities":
			req.Capabilities = strings.Split(v, ",")
		case "-force":
			req.Force = true
		default:
			s.Fatalf("register %s is not known", k)
		}
	}
	return s.order(func(c *controller.Controller) (controller.Outcome, error) { return c.Register(s.Context(), req) })
}

func (s *story) target(word string) string {
	if strings.Contains(word, "/") {
		return s.path(word)
	}
	return word
}

func doUpdate(s *story, args []string) []string {
	req := controller.UpdateRequest{Target: s.target(args[0]), Set: args[1:]}
	return s.order(func(c *controller.Controller) (controller.Outcome, error) { return c.Update(s.Context(), req) })
}

func doUnregister(s *story, args []string) []string {
	req := controller.UnregisterRequest{Target: s.target(args[0]), AllCopies: slices.Contains(args, "-all-copies")}
	return s.order(func(c *controller.Controller) (controller.Outcome, error) { return c.Unregister(s.Context(), req) })
}

func doReissue(s *story, args []string) []string {
	return s.order(func(c *controller.Controller) (controller.Outcome, error) {
		return c.Reissue(s.Context(), s.path(args[0]))
	})
}

func doAdopt(s *story, args []string) []string {
	return s.order(func(c *controller.Controller) (controller.Outcome, error) {
		return c.Adopt(s.Context(), s.path(args[0]))
	})
}

func doPause(s *story, args []string) []string {
	s.must(s.w.Loop().Pause(s.Context(), s.target(strings.Join(args, ""))))
	return nil
}

func doResume(s *story, args []string) []string {
	s.must(s.w.Loop().Resume(s.Context(), s.target(strings.Join(args, ""))))
	rest()
	return nil
}

// doFile prints a manifest as it is, without its times.
func doFile(s *story, args []string) []string {
	data, err := os.ReadFile(s.manifestPath(args[0]))
	if err != nil {
		return []string{"no manifest"}
	}
	var lines []string
	for line := range strings.SplitSeq(strings.TrimSuffix(string(data), "\n"), "\n") {
		if !strings.Contains(line, `"registeredAt"`) {
			lines = append(lines, line)
		}
	}
	return lines
}
