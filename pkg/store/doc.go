// Package store is the observed state: the index of agents in a SQLite
// database, and what the controller itself remembers in the same file.
//
// Two kinds of database are understood. DorkOS's (dork.db, told by its drizzle
// ledger) keeps its schema: columns of `agents` are discovered and written where
// they exist, and only tables prefixed mesh_controller_ are added. Ours (mesh.db)
// is made and upgraded by the migrations. Everything else is refused and left
// alone, byte for byte.
//
// What to know at night:
//
//   - No connection is kept while nothing is going on. Rest closes it, and the
//     last close checkpoints and removes the -wal. Every use opens it again,
//     looks at the schema anew and compares the stamp (see stamp.go).
//   - A handle on a deleted or replaced file keeps succeeding. The file at the
//     path is therefore compared with the open one before every use.
//   - Every write names what it was decided on and is a conflict otherwise;
//     writes are BEGIN IMMEDIATE, a few rows each, and never wait for a file of
//     an agent.
//   - A commit that returned an error may have landed. Nothing is assumed: the
//     ids of the batch are reported as changed by the next List.
package store
