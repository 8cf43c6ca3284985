CREATE TABLE live ( -- progress and newest log lines of attempts, written once a second at most
    item_id INTEGER NOT NULL,
    stage_id INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    done INTEGER,
    total INTEGER,
    text TEXT,
    lines TEXT, -- JSON list of [at, level, text], the newest last
    at INTEGER NOT NULL,
    PRIMARY KEY (item_id, stage_id, fence),
    FOREIGN KEY (item_id, stage_id) REFERENCES item_stages (item_id, stage_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE provenance ( -- what led to an item, beside the discovery that gave it first
    item_id INTEGER NOT NULL REFERENCES items (id),
    name TEXT NOT NULL, -- discovery, topic, query, …
    value TEXT NOT NULL,
    first_seen_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    PRIMARY KEY (item_id, name, value)
) STRICT, WITHOUT ROWID;

ALTER TABLE items ADD COLUMN last_seen_at INTEGER; -- NULL: not since it was created
CREATE INDEX items_parent ON items (parent_id) WHERE parent_id IS NOT NULL;

CREATE TABLE result_history ( -- results that were replaced or dropped: what they were, not what they said
    id INTEGER PRIMARY KEY,
    item_id INTEGER NOT NULL REFERENCES items (id),
    stage_id INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    version TEXT, -- of the code that made it, where it is known
    output_hash BLOB NOT NULL,
    cost_usd_micros INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    replaced_by INTEGER -- fence of the attempt that replaced it; NULL: dropped with what it was made of
) STRICT;

CREATE INDEX result_history_item ON result_history (item_id, id);

CREATE TRIGGER results_replaced BEFORE UPDATE OF output_hash ON results WHEN old.fence <> new.fence BEGIN
    INSERT INTO result_history (item_id, stage_id, fence, output_hash, cost_usd_micros, ended_at, replaced_by)
    VALUES (old.item_id, old.stage_id, old.fence, old.output_hash, old.cost_usd_micros, old.ended_at, new.fence);
END;

CREATE TRIGGER results_dropped BEFORE DELETE ON results BEGIN
    INSERT INTO result_history (item_id, stage_id, fence, output_hash, cost_usd_micros, ended_at)
    VALUES (old.item_id, old.stage_id, old.fence, old.output_hash, old.cost_usd_micros, old.ended_at);
END;
