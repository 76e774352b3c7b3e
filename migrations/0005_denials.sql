-- Not applied where DorkOS's agent_denials is there.
-- +goose Up
CREATE TABLE mesh_controller_denials (
  path TEXT PRIMARY KEY NOT NULL,
  reason TEXT,
  created_at TEXT NOT NULL
);
