package main

import (
	"context"
	"errors"
	"os"
)

// The first sync of an empty home: every row, mailbox and rule.
func measureCold(ctx context.Context, b *bench, root string, n int) ([]line, error) {
	var walls, cpus, rss []float64
	for range b.rounds {
		wall, cpu, kib, err := b.coldSync(ctx, root)
		if err != nil {
			return nil, err
		}
		walls, cpus, rss = append(walls, wall), append(cpus, cpu), append(rss, kib/1024)
	}
	gate := ""
	if n == 10_000 {
		gate = "4"
	}
	return []line{
		{Case: "cold", Agents: n, Unit: "s wall", Ours: spreadOf(walls), Gate: gate},
		{Case: "cold-cpu", Agents: n, Unit: "s CPU", Ours: spreadOf(cpus)},
		{Case: "cold-memory", Agents: n, Unit: "MiB", Ours: spreadOf(rss)},
	}, nil
}

func (b *bench) coldSync(ctx context.Context, root string) (wall, cpu, kib float64, err error) {
	home, err := os.MkdirTemp(b.dir, "home-")
	if err != nil {
		return 0, 0, 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(home)) }()
	return b.sync(ctx, home, root)
}

// The size of the program's file.
func measureBinary(_ context.Context, b *bench, _ string, n int) ([]line, error) {
	info, err := os.Stat(b.binary)
	if err != nil {
		return nil, err
	}
	return []line{{Case: "size", Agents: n, Unit: "MB", Ours: spreadOf([]float64{float64(info.Size()) / 1e6}), Gate: "22"}}, nil
}
