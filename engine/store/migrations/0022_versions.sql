-- Which code made a result, what that code was, and which versions count as the same.
CREATE TABLE versions ( -- of a stage's code
    id INTEGER PRIMARY KEY,
    stage_id INTEGER NOT NULL REFERENCES stages (id),
    hash TEXT NOT NULL,
    doubts TEXT NOT NULL, -- JSON list: why not all of the code could be seen; empty: it could
    made_at INTEGER NOT NULL, -- when it was first seen
    class_id INTEGER, -- smallest number of the versions that count as the same, this one among them
    results INTEGER NOT NULL DEFAULT 0 CHECK (results >= 0), -- how many results it made are there
    UNIQUE (stage_id, hash)
) STRICT;

CREATE INDEX versions_made ON versions (stage_id, class_id) WHERE results > 0;

CREATE TABLE symbols ( -- snapshots of code, each stored once
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    raw TEXT NOT NULL,
    norm TEXT NOT NULL,
    erased TEXT NOT NULL,
    source TEXT NOT NULL,
    UNIQUE (name, raw, norm, erased)
) STRICT;

CREATE TABLE version_symbols (
    version_id INTEGER NOT NULL REFERENCES versions (id),
    position INTEGER NOT NULL, -- 0: the stage's function
    symbol_id INTEGER NOT NULL REFERENCES symbols (id),
    place TEXT NOT NULL, -- path:line
    PRIMARY KEY (version_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE judgements ( -- could the output of a stage differ between two versions of it?
    id INTEGER PRIMARY KEY,
    stage_id INTEGER NOT NULL REFERENCES stages (id),
    old_id INTEGER NOT NULL REFERENCES versions (id),
    new_id INTEGER NOT NULL REFERENCES versions (id),
    verdict TEXT NOT NULL CHECK (verdict IN ('same', 'cosmetic', 'semantic')), -- the first two are equivalences
    by TEXT NOT NULL CHECK (by IN ('rule', 'person', 'cache', 'canary', 'model')),
    why TEXT NOT NULL,
    confidence REAL,
    cost_usd_micros INTEGER NOT NULL DEFAULT 0,
    rests_on TEXT NOT NULL DEFAULT '[]', -- JSON list of judgements: it is revoked with any of them
    at INTEGER NOT NULL,
    revoked_at INTEGER,
    CHECK (old_id <> new_id)
) STRICT;

CREATE INDEX judgements_stage ON judgements (stage_id, old_id, new_id) WHERE revoked_at IS NULL;

CREATE TABLE symbol_verdicts ( -- the same question about one changed symbol, answered once for all stages
    old_norm TEXT NOT NULL, -- '': the symbol is new
    new_norm TEXT NOT NULL, -- '': it is gone
    judgement_id INTEGER NOT NULL REFERENCES judgements (id), -- where it was answered; revoked with it
    verdict TEXT NOT NULL CHECK (verdict IN ('cosmetic', 'semantic')),
    PRIMARY KEY (old_norm, new_norm, judgement_id)
) STRICT, WITHOUT ROWID;

ALTER TABLE stages ADD COLUMN version_id INTEGER REFERENCES versions (id); -- of the code that new attempts run
ALTER TABLE results ADD COLUMN version_id INTEGER; -- that made it; NULL: unknown
ALTER TABLE results ADD COLUMN changed_at INTEGER; -- when the output last became another
ALTER TABLE runs ADD COLUMN version TEXT; -- hash of the discovery's or check's code

CREATE INDEX results_unversioned ON results (stage_id) WHERE version_id IS NULL;

CREATE TRIGGER results_deleted AFTER DELETE ON results WHEN old.version_id IS NOT NULL BEGIN
    UPDATE versions SET results = results - 1 WHERE id = old.version_id;
END;
