// Package sources reads the desired state: the manifests
// <project>/.dork/agent.json below the scan roots and at the known paths.
//
// Sweep lists everything and tells what is different from the sweep before;
// Probe takes one fresh look at one project. Neither writes: only CreateManifest,
// ReplaceManifest, RemoveManifest and RecoverManifest do, one manifest at a
// time, when an operator orders it. None of them follows a link on the way from a project directory to its
// manifest, and neither decides anything: what could not be told is reported
// as Unknown, never as gone.
//
// Between sweeps a Tree remembers the stamp of every directory and the
// fingerprint and hash of every manifest, so that a quiet sweep costs one stat
// per directory and one per manifest. The memory says where to look, not what
// is true: a stamp younger than two seconds proves nothing, every sweep reads
// one twelfth of the manifests again whatever their fingerprints say, and a
// full sweep reads all of them.
//
// A system call on a mount that hangs cannot be cancelled. Whatever touches a
// mount therefore runs in a goroutine that is left behind when it stops making
// progress, and a mount on which one is left behind is not touched by another
// sweep until it returns.
package sources
