-- +goose Up
CREATE TABLE agents (
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  runtime TEXT NOT NULL,
  project_path TEXT NOT NULL,
  namespace TEXT NOT NULL DEFAULT 'default',
  capabilities_json TEXT NOT NULL DEFAULT '[]',
  entrypoint TEXT,
  version TEXT,
  description TEXT,
  approver TEXT,
  status TEXT NOT NULL DEFAULT 'active',
  last_seen_at TEXT,
  last_seen_event TEXT,
  registered_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
);
CREATE UNIQUE INDEX agents_project_path_unique ON agents (project_path);
