package controller

import "github.com/mesh-registry/mesh-controller/pkg/agent"

// room for the tasks of a batch, which a worker uses again for the next: they are
// most of what it would make otherwise. The zero value has none.
type room struct{ tasks []task }

func (r *room) of(ids []agent.ID) []*task {
	if cap(r.tasks) < len(ids) {
		r.tasks = make([]task, len(ids))
	}
	r.tasks = r.tasks[:len(ids)]
	tasks := make([]*task, len(ids))
	for i, id := range ids {
		r.tasks[i] = task{id: id}
		tasks[i] = &r.tasks[i]
	}
	return tasks
}

// leave lets go of what the tasks refer to.
func (r *room) leave() { clear(r.tasks) }
