-- How often a job was resumed: what it has started is counted anew each time.
ALTER TABLE jobs ADD COLUMN resumed INTEGER NOT NULL DEFAULT 0;
