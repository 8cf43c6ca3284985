-- A command on all items that a filter found. Its number is that of its row in the journal.
CREATE TABLE bulks (
    id INTEGER PRIMARY KEY REFERENCES operations (id) ON DELETE CASCADE,
    total INTEGER NOT NULL,
    looked INTEGER NOT NULL DEFAULT 0, -- so many of them have been looked at; while it is taken back: of those it changed
    changed INTEGER NOT NULL DEFAULT 0,
    restored INTEGER NOT NULL DEFAULT 0,
    below INTEGER, -- while it is taken back: the last item that was looked at; those below it are next
    state TEXT NOT NULL CHECK (state = 'running' OR state = 'done' OR state = 'undoing' OR state = 'undone'),
    why TEXT, -- why some were left alone
    begun_at INTEGER NOT NULL,
    ended_at INTEGER,
    targets TEXT NOT NULL, -- numbers of the items, packed (engine/rules/id_set.py): the set that was shown
    CHECK ((state = 'running' OR state = 'undoing') = (ended_at IS NULL))
) STRICT;
CREATE INDEX bulks_ended ON bulks (ended_at);

CREATE TABLE bulk_items ( -- items as they were before it changed them
    bulk_id INTEGER NOT NULL REFERENCES bulks (id) ON DELETE CASCADE,
    item_id INTEGER NOT NULL,
    state TEXT NOT NULL,
    revision TEXT,
    closed TEXT,
    closed_by TEXT,
    why TEXT,
    priority INTEGER,
    priority_by TEXT,
    accepted_at INTEGER,
    snoozed_until INTEGER,
    taken_back INTEGER NOT NULL DEFAULT 0 CHECK (taken_back = 0 OR taken_back = 1),
    PRIMARY KEY (bulk_id, item_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE bulk_stages ( -- their open rows as they were
    bulk_id INTEGER NOT NULL REFERENCES bulks (id) ON DELETE CASCADE,
    item_id INTEGER NOT NULL,
    stage_id INTEGER NOT NULL,
    state TEXT NOT NULL,
    due_at INTEGER,
    fence INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    interruptions INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    opened_at INTEGER,
    answer TEXT,
    why TEXT,
    choices TEXT,
    PRIMARY KEY (bulk_id, item_id, stage_id)
) STRICT, WITHOUT ROWID;

ALTER TABLE operations ADD COLUMN redone_as INTEGER; -- the command that did again what was taken back of this one
