-- One ADD COLUMN a line: a table that an older program made is upgraded by
-- running exactly the lines whose column it lacks.
-- +goose Up
ALTER TABLE agents ADD COLUMN scan_root TEXT NOT NULL DEFAULT '';
ALTER TABLE agents ADD COLUMN behavior_json TEXT NOT NULL DEFAULT '{"responseMode":"always"}';
ALTER TABLE agents ADD COLUMN budget_json TEXT NOT NULL DEFAULT '{"maxHopsPerMessage":5,"maxCallsPerHour":100}';
