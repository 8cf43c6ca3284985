-- Who says that an item waits for another one: its source (''), or a stage that found it out.
ALTER TABLE item_deps ADD COLUMN given_by TEXT NOT NULL DEFAULT '';

ALTER TABLE items ADD COLUMN titled TEXT; -- what a person calls it; it stays whatever its source says
