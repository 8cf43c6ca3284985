-- Pruning of runs asks for each whether an item still names it as its origin.
CREATE INDEX items_run ON items (origin_run_id) WHERE origin_run_id IS NOT NULL;
