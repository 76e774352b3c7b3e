package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
)

// The index alone, against the tools that one would do it with by hand: fd lists
// the manifests and the sqlite3 shell imports the rows that come of them.
func measurePeer(ctx context.Context, b *bench, f fleet) (_ []figures, err error) {
	fd, err := tool("fdfind", "fd")
	if err != nil {
		return nil, err
	}
	shell, err := tool("sqlite3")
	if err != nil {
		return nil, err
	}
	h, err := b.newHome()
	if err != nil {
		return nil, err
	}
	if _, err := b.sync(ctx, h, f, "--relay", "none", "--scan-depth", "2"); err != nil {
		return nil, err
	}
	p := peer{home: h, fd: fd, shell: shell}
	if err := p.dumpRows(ctx); err != nil {
		return nil, err
	}
	g := figures{line: "cold-peer"}
	for range b.rounds {
		other, err := p.rebuild(ctx, f)
		if err != nil {
			return nil, err
		}
		u, err := b.coldSync(ctx, f, "--relay", "none", "--scan-depth", "2")
		if err != nil {
			return nil, err
		}
		g.ours, g.other = append(g.ours, u.wall), append(g.other, other)
	}
	return []figures{g}, nil
}

type peer struct {
	home
	fd, shell string
}

// dumpRows of a synced home: what the peer imports, and into what.
func (p *peer) dumpRows(ctx context.Context) error {
	rows, err := os.Create(p.file("rows.csv"))
	if err != nil {
		return err
	}
	cmd := command(ctx, p.shell, "-csv", p.index(), "SELECT * FROM agents")
	cmd.Stdout = rows
	return errors.Join(cmd.Run(), rows.Close())
}

// rebuild lists the tree and fills a new database. It returns the wall seconds.
func (p *peer) rebuild(ctx context.Context, f fleet) (float64, error) {
	fresh := p.file("peer.db")
	if err := makeAgents(p.index(), fresh); err != nil {
		return 0, err
	}
	list := command(ctx, p.fd, "-H", "-I", "-j2", "--max-depth", "4", "-E", ".git", "-E", "node_modules", `^agent\.json$`, f.root)
	fill := command(ctx, p.shell, fresh, "PRAGMA synchronous=NORMAL", ".import --csv "+p.file("rows.csv")+" agents")
	total := 0.0
	for _, cmd := range []*exec.Cmd{list, fill} {
		u, err := timed(cmd)
		if err != nil {
			return 0, err
		}
		total += u.wall
	}
	x, err := openIndex(fresh)
	if err != nil {
		return 0, err
	}
	n, err := x.number("SELECT count(*) FROM agents")
	if err == nil && n != f.n {
		err = errors.New("the peer's rows are not all")
	}
	return total, errors.Join(err, x.close(), removeIndex(fresh))
}

// makeAgents makes an empty database with the table of agents of another.
func makeAgents(model, fresh string) error {
	from, err := openIndex(model)
	if err != nil {
		return err
	}
	schema, err := from.texts("SELECT sql FROM sqlite_master WHERE tbl_name='agents' AND sql IS NOT NULL ORDER BY rowid")
	if err := errors.Join(err, from.close()); err != nil {
		return err
	}
	to, err := openIndex(fresh)
	if err != nil {
		return err
	}
	return errors.Join(to.exec(strings.Join(schema, ";")), to.close())
}
