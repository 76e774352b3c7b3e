package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	clients     = 8
	ordersEach  = 25 // 200 in all
	editedCount = 4
)

// Many give orders at once while sweeps run and editors save: every success
// that was answered is true of file, row and address, and no save is lost.
func TestConcurrentOrders(t *testing.T) {
	w := newWorld(t)
	for i := range clients + editedCount {
		w.manifest(fmt.Sprintf("team/old-%02d", i), agentID(i), nil)
	}
	d := w.start()
	stop := make(chan struct{})
	var beside, giving sync.WaitGroup
	beside.Go(func() { d.sweepUntil(stop) })
	for i := range editedCount {
		beside.Go(func() { w.saveUntil(stop, manifestOf(w.project(fmt.Sprintf("team/old-%02d", clients+i)))) })
	}
	for c := range clients {
		giving.Go(func() { d.giveOrders(c) })
	}
	giving.Wait()
	close(stop)
	beside.Wait()
	d.stop()

	w.want(0, "sync")
	list := ask[agentsView](w, 0, "agents")
	if want := clients + editedCount + clients*(ordersEach/2); len(list.Agents) != want {
		t.Errorf("%d agents, want %d", len(list.Agents), want)
	}
	for _, a := range list.Agents {
		if a.Reason != "InSync" || !a.Endpoint {
			t.Errorf("%s is %s, endpoint %v", a.ID, a.Reason, a.Endpoint)
		}
	}
}

// sweepUntil asks for forced sweeps.
func (d *daemon) sweepUntil(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(20 * time.Millisecond):
			d.signal(syscall.SIGUSR1)
		}
	}
}

// saveUntil is an editor that adds a number to a list with every save. Each has
// to be in the file when whoever writes beside it is done.
func (w *world) saveUntil(stop <-chan struct{}, path string) {
	var saves []int
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		saves = append(saves, n)
		m, err := readObject(path)
		w.must(err)
		m["saves"] = saves
		next, err := json.MarshalIndent(m, "", "  ")
		w.must(err)
		w.must(os.WriteFile(path+"~", next, 0o644))
		w.must(os.Rename(path+"~", path))
		eventually(w.t, func() error {
			m, err := readObject(path)
			if have, _ := m["saves"].([]any); err == nil && len(have) != len(saves) {
				err = fmt.Errorf("%s: %d saves, %d were made", path, len(have), len(saves))
			}
			return err
		})
	}
}

func readObject(path string) (m map[string]any, err error) {
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	return m, err
}

// giveOrders registers new agents and updates old ones in turn, and checks each
// answer against the world.
func (d *daemon) giveOrders(client int) {
	for n := range ordersEach {
		name := fmt.Sprintf("c%d-n%02d", client, n)
		if n%2 == 0 && n/2 < ordersEach/2 {
			d.registerAndCheck(client, name)
			continue
		}
		d.updateAndCheck(client, name)
	}
}

type orderView struct {
	ID, Path, Reason string
	Finished         bool
}

func (d *daemon) registerAndCheck(client int, name string) {
	project := d.w.project(fmt.Sprintf("team-%d/%s", client, name))
	if err := os.MkdirAll(project, 0o755); err != nil {
		d.w.t.Error(err)
		return
	}
	a := d.order(http.MethodPost, "/v1/agents", fmt.Sprintf(`{"path":%q,"name":%q,"runtime":"codex"}`, project, name))
	if a.code != http.StatusCreated {
		d.w.t.Errorf("register %s: %d %s", name, a.code, a.body)
		return
	}
	out := decode[orderView](d.w, a.body)
	d.isTrue(out.ID, project, name)
	if box := d.w.mailbox(fmt.Sprintf("relay.agent.team-%d.%s", client, out.ID)); !exists(filepath.Join(box, "new")) {
		d.w.t.Errorf("%s: no mailbox %s", name, box)
	}
}

// updateAndCheck renames the client's own agent, and one that an editor works
// on, of which only the answer can be checked.
func (d *daemon) updateAndCheck(client int, name string) {
	for _, i := range []int{client, clients + client%editedCount} {
		a := d.order(http.MethodPatch, "/v1/agents/"+agentID(i), fmt.Sprintf(`{"set":["name=%s"]}`, name))
		if a.code != http.StatusOK {
			d.w.t.Errorf("update %s: %d %s", name, a.code, a.body)
			continue
		}
		if i == client {
			d.isTrue(agentID(i), d.w.project(fmt.Sprintf("team/old-%02d", i)), name)
		}
	}
}

// isTrue compares file and row with what was answered.
func (d *daemon) isTrue(id, project, name string) {
	data, err := os.ReadFile(manifestOf(project))
	var m struct{ ID, Name string }
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	if err != nil || m.ID != id || m.Name != name {
		d.w.t.Errorf("%s: the file says %+v, %v", name, m, err)
	}
	if got := d.w.cell("SELECT name FROM agents WHERE id = ?", id); got != name {
		d.w.t.Errorf("%s: the row says %q", name, got)
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Two registrations of one path end in one winner and one clear error.
func TestConcurrentRegistrationsOfOnePath(t *testing.T) {
	w := newWorld(t)
	d := w.start()
	for round := range 10 {
		project := w.project(fmt.Sprintf("team/p%02d", round))
		w.must(os.MkdirAll(project, 0o755))
		answers := make([]answer, 2)
		var both sync.WaitGroup
		for i := range answers {
			both.Go(func() {
				answers[i] = d.order(http.MethodPost, "/v1/agents", fmt.Sprintf(`{"path":%q,"name":"n%d","runtime":"codex"}`, project, i))
			})
		}
		both.Wait()
		won, lost := 0, ""
		for _, a := range answers {
			if a.code == http.StatusCreated {
				won++
			} else {
				lost = a.body
			}
		}
		if won != 1 || decode[errorView](w, lost).Error.Hint == "" {
			t.Errorf("%d won; the other was told %s", won, lost)
		}
	}
	if out := w.cell("SELECT count(*) FROM agents"); out != "10" {
		t.Errorf("%s agents", out)
	}
}
