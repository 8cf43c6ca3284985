-- What steers an item: its signals, what its source gave, what the policy made of it, and why nothing of it may start.
ALTER TABLE items ADD COLUMN signals TEXT NOT NULL DEFAULT '{}';
ALTER TABLE items ADD COLUMN given INTEGER CHECK (given BETWEEN 0 AND 3); -- the priority its source gave; NULL: none
ALTER TABLE items ADD COLUMN priority_why TEXT; -- what the priority policy of its job says; NULL: there is no policy
ALTER TABLE items ADD COLUMN signalled_at INTEGER; -- when a stage gave signals for the first time
ALTER TABLE items ADD COLUMN held TEXT; -- why nothing of it may start; NULL: it may
ALTER TABLE items ADD COLUMN last_completed_at INTEGER;
ALTER TABLE items ADD COLUMN next_due_at INTEGER; -- when it comes back, finished as it is
UPDATE items SET given = priority WHERE priority_by = 'source';
CREATE INDEX items_held ON items (job_id) WHERE held IS NOT NULL;
CREATE INDEX items_next_due ON items (next_due_at) WHERE next_due_at IS NOT NULL;

-- Items that wait for other items of the same job; the other one may come later than the one that needs it.
CREATE TABLE item_deps (
    item_id INTEGER NOT NULL REFERENCES items (id),
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    key TEXT NOT NULL,
    PRIMARY KEY (item_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX item_deps_key ON item_deps (job_id, key);

-- By which policy and filters the facts of a job's items were decided, and from which item on they are decided anew.
ALTER TABLE jobs ADD COLUMN steering TEXT;
ALTER TABLE jobs ADD COLUMN steer_from INTEGER;
ALTER TABLE jobs ADD COLUMN recur TEXT; -- when its finished items come back, in words

-- Items whose change of state means something for others, or for when they come back: worked off in the transaction.
CREATE TABLE moved_items (
    item_id INTEGER PRIMARY KEY
) STRICT;
CREATE TRIGGER items_moved_for_others AFTER UPDATE OF state ON items
WHEN old.state <> new.state AND (
    EXISTS (SELECT 1 FROM item_deps WHERE job_id = new.job_id AND key = new.key)
    OR EXISTS (SELECT 1 FROM jobs WHERE id = new.job_id AND recur IS NOT NULL)
) BEGIN
    INSERT OR IGNORE INTO moved_items VALUES (new.id);
END;
