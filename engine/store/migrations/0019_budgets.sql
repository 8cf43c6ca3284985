-- Daily limits of money as configured, for whoever reads the state file.
CREATE TABLE budgets (
    job_id INTEGER PRIMARY KEY, -- 0: all jobs
    usd_micros INTEGER NOT NULL CHECK (usd_micros > 0),
    timezone TEXT NOT NULL -- where its day begins
) STRICT;
