-- name: all_jobs
-- Every job that was ever configured, with its number.
SELECT id, name, state, why, paused_by, paused_at, next_run_at, started, resumed FROM jobs;

-- name: paused_stages
-- Stages that are paused by themselves.
SELECT job_id, id FROM stages WHERE paused_at IS NOT NULL AND removed = 0;

-- name: insert_job
-- A job that is new in the configuration.
INSERT INTO jobs (
    name, position, title, emoji, internal, is_check, findings_to, detail_columns, every_s, cron, pace, recur, steering, state, why
) VALUES (
    :name, :position, :title, :emoji, :internal, :is_check, :findings_to, :detail_columns, :every_s, :cron, :pace,
    :recur, :steering, :state, :why
)
RETURNING id;

-- name: update_job
-- What the configuration says of a known job; a person's pause stays unless the job is broken or removed.
UPDATE jobs
SET position = :position, title = :title, emoji = :emoji, internal = :internal, is_check = :is_check,
    findings_to = :findings_to, detail_columns = :detail_columns, every_s = :every_s, cron = :cron,
    pace = :pace, recur = :recur,
    steer_from = CASE WHEN steering IS :steering THEN steer_from ELSE 0 END, steering = :steering,
    state = :state, why = :why,
    paused_by = CASE WHEN :state = 'paused' THEN paused_by END,
    paused_at = CASE WHEN :state = 'paused' THEN paused_at END,
    paused_until = CASE WHEN :state = 'paused' THEN paused_until END,
    paused_guard = CASE WHEN :state = 'paused' THEN paused_guard END
WHERE id = :id;

-- name: remove_job
-- A job that the configuration no longer has; its items stay.
UPDATE jobs
SET state = 'removed', why = 'not in the configuration any more', paused_by = NULL, paused_at = NULL,
    paused_until = NULL
WHERE id = ? AND state <> 'removed';

-- name: stages_of
-- Stages of a job, removed ones too.
SELECT name, id, enabled, removed, after, gate FROM stages WHERE job_id = ?;

-- name: insert_stage
-- A stage that is new in the configuration.
INSERT INTO stages (
    job_id, name, position, handler, after, gate, enabled, concurrency, max_attempts, pace, resources, model
) VALUES (
    :job_id, :name, :position, :handler, :after, :gate, :enabled, :concurrency, :max_attempts, :pace, :resources,
    :model
)
RETURNING id;

-- name: update_stage
-- What the configuration says of a known stage.
UPDATE stages
SET position = :position, handler = :handler, after = :after, gate = :gate, enabled = :enabled, removed = 0,
    concurrency = :concurrency, max_attempts = :max_attempts, pace = :pace, resources = :resources,
    model = :model
WHERE id = :id;

-- name: remove_stage
-- A stage that the configuration no longer has; its rows are ignored.
UPDATE stages SET removed = 1 WHERE id = ?;

-- name: pause
-- Claim nothing of this job; guarded by its state.
UPDATE jobs SET state = 'paused', why = :why, paused_by = :by, paused_at = :now, paused_until = :until, paused_guard = :guard
WHERE id = :id AND state = 'active';

-- name: resume
-- Let a paused job go on; guarded by its state.
UPDATE jobs SET state = 'active', why = NULL, paused_by = NULL, paused_at = NULL, paused_until = NULL,
    paused_guard = NULL, started = 0, resumed = resumed + 1
WHERE id = :id AND state = 'paused';

-- name: pause_stage
-- Claim nothing at this stage; guarded by its not being paused.
UPDATE stages SET paused_at = :now, paused_by = :by, paused_why = :why, paused_until = :until
WHERE id = :id AND paused_at IS NULL;

-- name: resume_stage
-- Let a paused stage go on; guarded by its being paused.
UPDATE stages SET paused_at = NULL, paused_by = NULL, paused_why = NULL, paused_until = NULL
WHERE id = :id AND paused_at IS NOT NULL;

-- name: stages_due
-- Stages whose pause has ended.
SELECT id, job_id FROM stages WHERE paused_until <= ?;

-- name: schedule
-- When the discovery of a job runs next.
UPDATE jobs SET next_run_at = ? WHERE id = ?;

-- name: meta_get
-- One value about the whole file.
SELECT value FROM meta WHERE key = ?;

-- name: meta_set
-- One value about the whole file.
INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value;
