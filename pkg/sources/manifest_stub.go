package sources

// Placeholder that keeps the build green: delete this file when the real
// methods exist beside it.

import (
	"context"
	"errors"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

var errStub = errors.New("not there yet")

func (t *Tree) Inspect(context.Context, string) (agent.ManifestFile, error) {
	return agent.ManifestFile{}, errStub
}
func (t *Tree) CreateManifest(context.Context, string, []byte) (bool, error) { return false, errStub }
func (t *Tree) ReplaceManifest(context.Context, string, []byte, []byte) error { return errStub }
func (t *Tree) RemoveManifest(context.Context, string, []byte, bool) error { return errStub }
func (t *Tree) RecoverManifest(context.Context, string) (bool, error) { return false, nil }
