ALTER TABLE items ADD COLUMN ruled_at INTEGER; -- when the rules of triage were last applied; NULL: never, so `auto` may act
ALTER TABLE items ADD COLUMN proposed TEXT 
    CHECK (proposed = 'accept' OR proposed = 'drop' OR proposed = 'snooze' OR proposed GLOB 'P[0-3]'); -- what they propose
ALTER TABLE items ADD COLUMN proposed_why TEXT;
ALTER TABLE items ADD COLUMN proposed_ms INTEGER; -- for how long it is put off, with snooze
CREATE INDEX items_proposed ON items (job_id) WHERE proposed IS NOT NULL;
