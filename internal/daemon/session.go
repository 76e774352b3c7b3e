package daemon

import (
	"context"

	"go.uber.org/zap"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// Session answers questions without writing anything, beside a daemon or
// without one.
type Session struct{ parts *parts }

// OpenSession opens index and relay for reading. What is not there yet reads
// as empty.
func OpenSession(ctx context.Context, s *Settings, b Build, log *zap.Logger) (*Session, error) {
	p, err := open(ctx, s, reading, nil, b, log)
	if err != nil {
		return nil, err
	}
	return &Session{p}, nil
}

// Plan says what would be done.
func (s *Session) Plan(ctx context.Context, req controller.PlanRequest) (controller.PlanResult, error) {
	result, err := s.parts.loop.Plan(ctx, req)
	return result, databaseError(err)
}

// Agents lists the agents and what is wrong with whom.
func (s *Session) Agents(ctx context.Context) (controller.AgentsResult, error) {
	result, err := s.parts.loop.Agents(ctx)
	return result, databaseError(err)
}

// Explain shows one agent from every side.
func (s *Session) Explain(ctx context.Context, target string) (controller.Explanation, error) {
	result, err := s.parts.loop.Explain(ctx, target)
	return result, databaseError(err)
}

// Denials is the deny list.
func (s *Session) Denials(ctx context.Context) (controller.DenialsResult, error) {
	result, err := s.parts.loop.Denials(ctx)
	return result, databaseError(err)
}

// Tombstones is what left the index within 30 days.
func (s *Session) Tombstones(ctx context.Context) (controller.TombstonesResult, error) {
	result, err := s.parts.loop.Tombstones(ctx)
	return result, databaseError(err)
}

// Events is the history, oldest first.
func (s *Session) Events(ctx context.Context, f agent.EventFilter) ([]controller.EventView, error) {
	events, err := s.parts.history.Events(ctx, f)
	return eventViews(events), databaseError(err)
}

// Close lets go of the index. A session of which a question still hangs is
// left behind.
func (s *Session) Close() error { return letGo("index", s.parts.close) }
