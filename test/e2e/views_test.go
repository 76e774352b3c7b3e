package e2e

// What the commands and the API print, as far as tests look into it.

type agentsView struct {
	APIVersion string
	Agents     []agentView
	Problems   []problemView
}

type agentView struct {
	ID, Name, Namespace, ProjectPath, Status, Reason string
	Message, MissingSince, RemoveAt                  *string
	Hold                                             *holdView
	RelaySubject                                     string
	Endpoint                                         bool
	DuplicatePaths                                   []string
}

type holdView struct {
	Reason, Since string
	Until         *string
}

type problemView struct {
	Path, Reason, Message string
	AgentID               *string
	Since                 string
}

type syncView struct {
	Converged, Full bool
	Counts          counts
	Failures        []failureView
}

type counts struct {
	Agents, Queued, Discovered, Synced, Relocated, Unreachable, Resurrected, Removed int
	Duplicates, Invalid, Unknown, Held, Failed                                       int
}

type failureView struct{ ID, Path, Reason, Message string }

type planView struct {
	At      string
	Changes []changeView
}

type changeView struct {
	ID, Path, Reason string
	Actions          []actionView
	RemoveAt         *string
}

type actionView struct {
	Type            string
	Field, From, To *string
}

func (c changeView) types() []string {
	list := []string{}
	for _, a := range c.Actions {
		list = append(list, a.Type)
	}
	return list
}

type eventsView struct{ Events []eventView }

type eventView struct{ At, ID, Reason, Path, Message string }

type errorView struct {
	Error struct{ Code, Message, Hint string }
}

// agent is one of the list; the test ends if it is not there.
func (w *world) agent(id string) agentView {
	w.t.Helper()
	list := ask[agentsView](w, 0, "agents")
	for _, a := range list.Agents {
		if a.ID == id {
			return a
		}
	}
	w.t.Fatalf("no agent %s among %+v", id, list.Agents)
	return agentView{}
}

// reasons are the deeds on an agent, oldest first.
func (w *world) reasons(id string) []string {
	w.t.Helper()
	list := []string{}
	for _, e := range ask[eventsView](w, 0, "events", id).Events {
		list = append(list, e.Reason)
	}
	return list
}
