-- When a job's discovery runs, where that is a cron expression.
ALTER TABLE jobs ADD COLUMN cron TEXT;
