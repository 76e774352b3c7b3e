package story

import (
	"strings"
	"testing/synctest"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// doRelease prints what the sync that follows a release did.
func doRelease(s *story, args []string) []string {
	root := ""
	if len(args) > 0 {
		root = s.path(args[0])
	}
	result, err := s.w.Loop().Release(s.Context(), root)
	synctest.Wait()
	if err != nil {
		return s.failed(err)
	}
	s.last = &result
	return doCounts(s, nil)
}

func doRestore(s *story, args []string) []string {
	return s.order(func(c *controller.Controller) (controller.Outcome, error) {
		return c.Restore(s.Context(), agent.ID(args[0]))
	})
}

// doGone lists what left the index as the controller tells it.
func doGone(s *story, _ []string) []string {
	result, err := s.w.Loop().Tombstones(s.Context())
	s.must(err)
	var list []string
	for _, t := range result.Tombstones {
		mail := "no mail"
		if t.Mail {
			mail = "mail"
		}
		l := strings.Join([]string{string(t.ID), t.Name, t.Namespace, t.Runtime, string(t.Reason), s.since(time.Time(t.At)), mail, t.ProjectPath}, " ")
		list = append(list, s.plain(l))
	}
	return list
}
