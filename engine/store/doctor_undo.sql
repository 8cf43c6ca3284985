-- name: incident
-- The verdict on an incident and its state.
SELECT signature, class, confidence, judged_by, rule, reason, fix, state, closed_at, replaying_at
FROM incidents WHERE id = ?;

-- name: verdicts
-- What the cache keeps of a signature.
SELECT stage_id, class, confidence, judged_by, reason, fix, at, until FROM verdicts WHERE signature = ?;

-- name: planned
-- What would be done about an incident.
SELECT id FROM doctor_actions WHERE incident_id = ? AND state = 'pending';

-- name: record
-- The journal of what a person did.
INSERT INTO operations (at, name, job_id, args, before) VALUES (:now, :name, :job, :args, :before) RETURNING id;

-- name: put_back
-- An incident as it was; the replay of its canaries is not taken back.
UPDATE incidents
SET class = :class, confidence = :confidence, judged_by = :judged_by, rule = :rule, reason = :reason, fix = :fix,
    state = :state, closed_at = :closed_at
WHERE id = :incident;

-- name: forget_person
-- What a person had said of a signature.
DELETE FROM verdicts WHERE signature = :signature AND until IS NULL;

-- name: put_verdict
-- What the cache had kept.
INSERT INTO verdicts (stage_id, signature, class, confidence, judged_by, reason, fix, at, until)
VALUES (:stage_id, :signature, :class, :confidence, :judged_by, :reason, :fix, :at, :until)
ON CONFLICT DO NOTHING;

-- name: plan_again
-- What was vetoed is planned again, for its time.
UPDATE doctor_actions SET state = 'pending', ended_at = NULL
WHERE id IN (SELECT value FROM json_each(:acts)) AND state = 'vetoed';
