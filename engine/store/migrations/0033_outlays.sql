-- Money that attempts may have spent and that is not booked yet: what a crash leaves of it counts as spent.
CREATE TABLE outlays (
    item_id INTEGER NOT NULL,
    stage_id INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    epoch INTEGER NOT NULL,
    usd_micros INTEGER NOT NULL CHECK (usd_micros >= 0), -- at most
    at INTEGER NOT NULL,
    PRIMARY KEY (item_id, stage_id, fence)
) STRICT, WITHOUT ROWID;
