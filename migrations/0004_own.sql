-- What the controller itself remembers. No AUTOINCREMENT (it would make a table
-- sqlite_sequence in DorkOS's database), no trigger, no foreign key to agents.
-- +goose Up

-- An id with something to remember; times as YYYY-MM-DDTHH:MM:SS.mmmZ,
-- clock_offset in nanoseconds.
CREATE TABLE mesh_controller_agents (
  agent_id TEXT PRIMARY KEY NOT NULL,
  missing_since TEXT,
  clock_since TEXT,
  boot_id TEXT,
  clock_offset INTEGER NOT NULL DEFAULT 0,
  evidence TEXT,
  mount_json TEXT,
  lost INTEGER NOT NULL DEFAULT 0,
  paused INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE mesh_controller_roots (
  path TEXT PRIMARY KEY NOT NULL,
  mount_json TEXT,
  released_at TEXT
);

-- Namespaces whose rules may have to go.
CREATE TABLE mesh_controller_left (
  namespace TEXT PRIMARY KEY NOT NULL,
  since TEXT NOT NULL
);

CREATE TABLE mesh_controller_events (
  seq INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  agent_id TEXT NOT NULL DEFAULT '',
  reason TEXT NOT NULL,
  path TEXT NOT NULL DEFAULT '',
  message TEXT NOT NULL DEFAULT ''
);

-- Rows that left the index, for 30 days; record_json is keyed by column.
CREATE TABLE mesh_controller_tombstones (
  agent_id TEXT PRIMARY KEY NOT NULL,
  reason TEXT NOT NULL,
  at TEXT NOT NULL,
  record_json TEXT NOT NULL,
  evidence TEXT NOT NULL DEFAULT ''
);

CREATE TABLE mesh_controller_problems (
  agent_id TEXT NOT NULL DEFAULT '',
  path TEXT NOT NULL,
  reason TEXT NOT NULL,
  message TEXT NOT NULL DEFAULT '',
  since TEXT NOT NULL,
  PRIMARY KEY (agent_id, path, reason)
);

CREATE TABLE mesh_controller_meta (
  key TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL
);
