-- How each job stood in each hour, for a look back: the last that was known of it in that hour.
CREATE TABLE job_hours (
    hour INTEGER NOT NULL, -- its start, ms UTC
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    state TEXT NOT NULL,
    ready INTEGER NOT NULL, -- item stages
    running INTEGER NOT NULL,
    later INTEGER NOT NULL,
    done INTEGER NOT NULL, -- items; for a check, the findings that it gave
    failed INTEGER NOT NULL,
    waiting INTEGER NOT NULL,
    PRIMARY KEY (hour, job_id)
) STRICT, WITHOUT ROWID;
