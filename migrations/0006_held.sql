-- Whether a mass disappearance has held an orphan: when it ends by return, the
-- clock of whoever is still missing begins anew, also after a restart.
-- +goose Up
ALTER TABLE mesh_controller_agents ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
