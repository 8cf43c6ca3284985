-- name: switched_since
-- Whether a later command paused or resumed a job and was not taken back.
SELECT EXISTS (
    SELECT 1 FROM operations WHERE id > :id AND job_id = :job AND undone_at IS NULL AND name IN ('pause', 'resume')
        AND before ->> '$.stage' IS :stage
);

-- name: pause_now
-- Who paused a job, why, and until when.
SELECT paused_by, why, paused_until, paused_guard FROM jobs WHERE id = ? AND state = 'paused';

-- name: take_word_back
-- A person does not set a guard aside any more.
DELETE FROM overrides WHERE job_id = ? AND guard = ?;

-- name: stage_pause_now
-- Who paused a stage, why, and until when.
SELECT paused_by, paused_why, paused_until FROM stages WHERE id = ? AND paused_at IS NOT NULL;

-- name: closed
-- Stages at which nothing may start, because they or their jobs are paused, or broken, or gone.
SELECT s.id FROM stages AS s JOIN jobs AS j ON j.id = s.job_id WHERE j.state <> 'active' OR s.paused_at IS NOT NULL;

-- name: record
-- The journal of what a person did.
INSERT INTO operations (at, name, job_id, args, before) VALUES (:now, :name, :job, :args, :before) RETURNING id;
