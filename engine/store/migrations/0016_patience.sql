-- How often and since when a row was put off by its handler, and whether it ran while nothing else did.
ALTER TABLE item_stages ADD COLUMN postponed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE item_stages ADD COLUMN postponed_since INTEGER;
ALTER TABLE item_stages ADD COLUMN alone INTEGER NOT NULL DEFAULT 0 CHECK (alone = 0 OR alone = 1);
-- Rows that were interrupted again wait for a run of their own.
CREATE INDEX item_stages_suspects ON item_stages (due_at) WHERE state = 'later' AND interruptions >= 2;
