package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/ncruces/go-sqlite3"
	"golang.org/x/sys/unix"
)

// A cold sync against its bare work in one pipeline: one goroutine walks, reads
// and parses, one writes rows, one makes mailboxes.
func measurePipelined(ctx context.Context, b *bench, f fleet) (_ []figures, err error) {
	model, err := b.newHome()
	if err != nil {
		return nil, err
	}
	if _, err := b.sync(ctx, model, fleet{root: model.dork()}); err != nil {
		return nil, err
	}
	g := figures{line: "cold-pipelined"}
	for range b.rounds {
		other, err := b.pipelined(ctx, f, model)
		if err != nil {
			return nil, err
		}
		u, err := b.coldSync(ctx, f, "--scan-depth", "2")
		if err != nil {
			return nil, err
		}
		g.ours, g.other = append(g.ours, u.wall), append(g.other, other)
	}
	return []figures{g}, nil
}

// pipelined makes rows, mailboxes and rules of a tree in a new home and returns
// the wall seconds.
func (b *bench) pipelined(ctx context.Context, f fleet, model home) (wall float64, err error) {
	h, err := b.emptyHome(ctx)
	if err != nil {
		return 0, err
	}
	mailboxes := filepath.Dir(h.mailbox("", ""))
	if err := errors.Join(makeAgents(model.index(), h.index()), os.MkdirAll(mailboxes, 0o700)); err != nil {
		return 0, err
	}
	began := time.Now()
	p := pipeline{rows: make(chan []agentRow, 4), boxes: make(chan []agentRow, f.n/perBatch+1)}
	var errs [3]error
	var wg sync.WaitGroup
	wg.Go(func() { errs[0] = p.read(f.root) })
	wg.Go(func() { errs[1] = p.write(h.index()) })
	wg.Go(func() { errs[2] = p.make(mailboxes) })
	wg.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		return 0, err
	}
	wall = time.Since(began).Seconds()
	if p.count != f.n {
		return 0, fmt.Errorf("the pipeline read %d of %d manifests", p.count, f.n)
	}
	return wall, nil
}

// perBatch rows are one transaction.
const perBatch = 200

type pipeline struct {
	rows, boxes chan []agentRow
	count       int
}

// agentRow is what of a manifest of Tree goes into the index.
type agentRow struct {
	ID             string         `json:"id"`
	Name           string         `json:"name"`
	Description    string         `json:"description"`
	Runtime        string         `json:"runtime"`
	Capabilities   jsontext.Value `json:"capabilities"`
	Behavior       jsontext.Value `json:"behavior"`
	Budget         jsontext.Value `json:"budget"`
	RegisteredAt   string         `json:"registeredAt"`
	RegisteredBy   string         `json:"registeredBy"`
	Persona        string         `json:"persona"`
	PersonaEnabled bool           `json:"personaEnabled"`
	Color          string         `json:"color"`

	namespace, path string
}

// read walks root and its teams and reads what is in their projects.
func (p *pipeline) read(root string) error {
	defer close(p.boxes)
	defer close(p.rows)
	teams, err := names(root)
	if err != nil {
		return err
	}
	var batch []agentRow
	send := func() {
		p.rows <- batch
		p.boxes <- batch
		p.count += len(batch)
		batch = nil
	}
	buf := make([]byte, 64<<10)
	for _, team := range teams {
		fd, err := unix.Open(filepath.Join(root, team), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		projects, err := names(filepath.Join(root, team))
		for _, project := range projects {
			row := agentRow{namespace: team, path: filepath.Join(root, team, project)}
			if err = readAt(fd, project+"/.dork/agent.json", buf, &row); err != nil {
				break
			}
			if batch = append(batch, row); len(batch) == perBatch {
				send()
			}
		}
		if err := errors.Join(err, unix.Close(fd)); err != nil {
			return err
		}
	}
	send()
	return nil
}

func readAt(dir int, name string, buf []byte, row *agentRow) error {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	var st unix.Stat_t
	err = unix.Fstat(fd, &st)
	n := 0
	if err == nil {
		n, err = unix.Read(fd, buf)
	}
	if err := errors.Join(err, unix.Close(fd)); err != nil {
		return err
	}
	return json.Unmarshal(buf[:n], row)
}

const upsert = `INSERT INTO agents(id, name, runtime, project_path, namespace, capabilities_json, description,
approver, status, registered_at, updated_at, scan_root, behavior_json, budget_json, persona, persona_enabled, color)
VALUES(?,?,?,?,?,?,?,?,'active',?,?,?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET name=excluded.name`

// write upserts batches, each in a transaction.
func (p *pipeline) write(path string) error {
	x, err := openIndex(path)
	if err != nil {
		return err
	}
	st, err := x.prepare(upsert)
	if err != nil {
		return errors.Join(err, x.close())
	}
	for batch := range p.rows {
		if err == nil {
			err = writeBatch(x, st, batch)
		}
	}
	return errors.Join(err, st.Close(), x.close())
}

func writeBatch(x *index, st *sqlite3.Stmt, batch []agentRow) error {
	if err := x.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for i := range batch {
		r := &batch[i]
		var errs []error
		for c, text := range []string{
			r.ID, r.Name, r.Runtime, r.path, r.namespace, string(r.Capabilities), r.Description, r.RegisteredBy,
			r.RegisteredAt, r.RegisteredAt, filepath.Dir(filepath.Dir(r.path)), string(r.Behavior), string(r.Budget), r.Persona,
		} {
			errs = append(errs, st.BindText(c+1, text))
		}
		errs = append(errs, st.BindBool(15, r.PersonaEnabled), st.BindText(16, r.Color))
		if err := errors.Join(append(errs, st.Exec())...); err != nil {
			return err
		}
	}
	return x.exec("COMMIT")
}

// make mailboxes, and the rules at the end.
func (p *pipeline) make(mailboxes string) error {
	dir, err := unix.Open(mailboxes, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	rules := []map[string]any{}
	team := ""
	for batch := range p.boxes {
		for i := range batch {
			r := &batch[i]
			if err == nil {
				err = makeMailbox(dir, "relay.agent."+r.namespace+"."+r.ID)
			}
			if r.namespace != team {
				team = r.namespace
				from := "relay.agent." + team + ".*"
				rules = append(rules, map[string]any{"from": from, "to": from, "action": "allow", "priority": 100},
					map[string]any{"from": from, "to": "relay.agent.>", "action": "deny", "priority": 10})
			}
		}
	}
	data, bad := json.Marshal(rules)
	return errors.Join(err, bad, unix.Close(dir), os.WriteFile(filepath.Join(filepath.Dir(mailboxes), "access-rules.json"), data, 0o600))
}

func makeMailbox(dir int, subject string) error {
	for _, part := range []string{"", "/tmp", "/new", "/cur", "/failed"} {
		if err := unix.Mkdirat(dir, subject+part, 0o700); err != nil {
			return err
		}
	}
	return nil
}
