-- The doctor: a queue of failed attempts, incidents, verdicts, breakers, and what is about to be done.

ALTER TABLE attempts ADD COLUMN judged_at INTEGER; -- NULL: in the doctor's queue
UPDATE attempts SET judged_at = ended_at;
CREATE INDEX attempts_queue ON attempts (id) WHERE judged_at IS NULL;

CREATE TABLE incidents ( -- failures of one signature
    id INTEGER PRIMARY KEY,
    signature TEXT NOT NULL UNIQUE,
    label TEXT NOT NULL,
    class TEXT NOT NULL
        CHECK (class IN ('transient', 'throttled', 'systemic', 'code_bug', 'item', 'unknown')),
    confidence TEXT NOT NULL CHECK (confidence IN ('high', 'medium', 'low')),
    judged_by TEXT NOT NULL,
    rule TEXT,
    reason TEXT NOT NULL,
    fix TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'resolved', 'dismissed')),
    count INTEGER NOT NULL,
    reopened INTEGER NOT NULL DEFAULT 0,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    closed_at INTEGER,
    replaying_at INTEGER, -- since when its canaries run; NULL: none do
    evidence TEXT NOT NULL, -- JSON: the newest failure, exactly as the classifier saw it
    CHECK ((state = 'open') = (closed_at IS NULL))
) STRICT;
CREATE INDEX incidents_open ON incidents (state, last_at);
CREATE INDEX incidents_replaying ON incidents (replaying_at) WHERE replaying_at IS NOT NULL;

CREATE TABLE incident_items ( -- who failed with it, and has not passed since
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    item_id INTEGER NOT NULL,
    stage_id INTEGER NOT NULL,
    fence INTEGER NOT NULL, -- of the newest attempt that failed so
    at INTEGER NOT NULL,
    is_canary INTEGER NOT NULL DEFAULT 0 CHECK (is_canary IN (0, 1)),
    PRIMARY KEY (incident_id, item_id, stage_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_items_stage ON incident_items (stage_id, incident_id);

CREATE TABLE verdicts ( -- the cache: what was said of a signature at a stage
    stage_id INTEGER NOT NULL,
    signature TEXT NOT NULL,
    class TEXT NOT NULL
        CHECK (class IN ('transient', 'throttled', 'systemic', 'code_bug', 'item', 'unknown')),
    confidence TEXT NOT NULL,
    judged_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    fix TEXT NOT NULL,
    at INTEGER NOT NULL,
    until INTEGER, -- NULL: for good, a person said so
    PRIMARY KEY (stage_id, signature)
) STRICT, WITHOUT ROWID;

CREATE TABLE breakers ( -- what counts failures and opens; `rate` is the guard of the error rate
    stage_id INTEGER NOT NULL REFERENCES stages (id),
    class TEXT NOT NULL,
    score REAL NOT NULL,
    at INTEGER NOT NULL, -- when the score was that
    state TEXT NOT NULL CHECK (state IN ('closed', 'open', 'probing')),
    opened_at INTEGER,
    probe_at INTEGER, -- when the next canary runs
    tries INTEGER NOT NULL DEFAULT 0,
    canary_id INTEGER, -- the item that runs as canary
    canary_fence INTEGER,
    PRIMARY KEY (stage_id, class),
    CHECK ((state = 'closed') = (opened_at IS NULL)),
    CHECK ((state = 'probing') = (canary_id IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE doctor_actions ( -- what the doctor did and would do
    id INTEGER PRIMARY KEY,
    incident_id INTEGER REFERENCES incidents (id),
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    stage_id INTEGER,
    action TEXT NOT NULL,
    tier TEXT NOT NULL CHECK (tier IN ('low', 'medium', 'high')),
    state TEXT NOT NULL CHECK (state IN ('pending', 'done', 'vetoed')),
    text TEXT NOT NULL,
    at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    ended_at INTEGER,
    CHECK ((state = 'pending') = (ended_at IS NULL))
) STRICT;
CREATE INDEX doctor_actions_pending ON doctor_actions (due_at) WHERE state = 'pending';
CREATE INDEX doctor_actions_incident ON doctor_actions (incident_id, id);

CREATE TABLE slowed ( -- what was asked to go slower: buckets, or stages without one
    name TEXT PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
