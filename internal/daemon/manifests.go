package daemon

import (
	"context"
	"io/fs"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Inspect reads a manifest for somebody who is going to write it.
func (r *reloadableSources) Inspect(ctx context.Context, path string) (agent.ManifestFile, error) {
	return r.tree.Load().Inspect(ctx, path)
}

// CreateManifest publishes a manifest where there is none.
func (r *reloadableSources) CreateManifest(ctx context.Context, project string, data []byte, mode fs.FileMode) (bool, error) {
	return r.tree.Load().CreateManifest(ctx, project, data, mode)
}

// ReplaceManifest puts next in the place of expected.
func (r *reloadableSources) ReplaceManifest(ctx context.Context, project string, expected, next []byte) error {
	return r.tree.Load().ReplaceManifest(ctx, project, expected, next)
}

// RemoveManifest takes the file away if it holds expected.
func (r *reloadableSources) RemoveManifest(ctx context.Context, project string, expected []byte, dorkDirToo bool) error {
	return r.tree.Load().RemoveManifest(ctx, project, expected, dorkDirToo)
}

// RecoverManifest clears what a crash left beside a manifest.
func (r *reloadableSources) RecoverManifest(ctx context.Context, project string) (bool, error) {
	return r.tree.Load().RecoverManifest(ctx, project)
}
