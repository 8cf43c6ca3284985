-- name: queue
-- Failed attempts that nobody has judged yet, oldest first.
SELECT a.id, a.item_id, a.stage_id, a.fence, a.ended_at, a.error_type, a.message, a.traceback, i.key
FROM attempts AS a JOIN items AS i ON i.id = a.item_id
WHERE a.judged_at IS NULL AND a.id > :after
ORDER BY a.id LIMIT :n;

-- name: judged
-- These attempts were judged.
UPDATE attempts SET judged_at = :now WHERE id IN (SELECT value FROM json_each(:attempts));

-- name: count_in
-- Failures of one signature: a new incident, or one more of a known one; a closed one opens again.
INSERT INTO incidents (
    signature, label, class, confidence, judged_by, rule, reason, fix, state, count, first_at, last_at, evidence
) VALUES (
    :signature, :label, :class, :confidence, :by, :rule, :reason, :fix, 'open', :n, :first_at, :last_at, :evidence
)
ON CONFLICT DO UPDATE
SET class = excluded.class, confidence = excluded.confidence, judged_by = excluded.judged_by, rule = excluded.rule,
    reason = excluded.reason, fix = excluded.fix, count = count + excluded.count,
    reopened = reopened + (state = 'resolved'),
    state = CASE state WHEN 'resolved' THEN 'open' ELSE state END,
    closed_at = CASE state WHEN 'resolved' THEN NULL ELSE closed_at END,
    last_at = max(last_at, excluded.last_at), evidence = excluded.evidence
RETURNING id;

-- name: said_of_run
-- What a person has said of a failure of runs.
SELECT class, reason, fix FROM incidents WHERE signature = ? AND judged_by = 'person';

-- name: run_recovered
-- Failures of the runs of a job are over.
UPDATE incidents SET state = 'resolved', closed_at = :now
WHERE state = 'open' AND substr(signature, 1, length(:prefix)) = :prefix
RETURNING id;

-- name: member
-- An item that failed with it.
INSERT INTO incident_items (incident_id, item_id, stage_id, fence, at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET fence = excluded.fence, at = excluded.at, is_canary = 0;

-- name: same_items
-- How many items stand with a signature at a stage, at most 50.
SELECT count(*) FROM (
    SELECT 1 FROM incidents AS n JOIN incident_items AS m ON m.incident_id = n.id
    WHERE n.signature = :signature AND m.stage_id = :stage LIMIT 50
);

-- name: fail_later
-- What waited for another try will not get one.
UPDATE item_stages SET state = 'failed', due_at = NULL, ended_at = :now, why = :why
WHERE item_id = :item AND stage_id = :stage AND state = 'later' AND fence = :fence
RETURNING item_id;

-- name: try_later
-- It was not the item's fault: it comes back at a time, and the attempt does not count.
UPDATE item_stages SET state = 'later', due_at = :due_at, attempts = max(0, attempts - :give_back), why = :why
WHERE item_id = :item AND stage_id = :stage AND state IN ('later', 'failed') AND fence = :fence
RETURNING item_id;

-- name: replay
-- A failed row starts again, with fresh attempts.
UPDATE item_stages SET state = 'ready', due_at = :due_at, attempts = 0, ended_at = NULL, why = NULL
WHERE item_id = :item AND stage_id = :stage AND state IN ('failed', 'later') AND fence = :fence
RETURNING item_id;

-- name: canary_ready
-- A row that queues goes to the front, as a canary.
UPDATE item_stages SET due_at = :due_at
WHERE item_id = :item AND stage_id = :stage AND state = 'ready'
RETURNING item_id;

-- name: set_item_why
-- Why an item failed or waits, for lists.
UPDATE items SET why = :why WHERE id IN (SELECT value FROM json_each(:items));

-- name: verdict_of
-- What was said of a signature at a stage, and still holds.
SELECT class, confidence, judged_by, reason, fix FROM verdicts
WHERE stage_id = :stage AND signature = :signature AND (until IS NULL OR until > :now);

-- name: teach
-- Remember what was said; a person's word is never taken back by a model's.
INSERT INTO verdicts (stage_id, signature, class, confidence, judged_by, reason, fix, at, until)
VALUES (:stage, :signature, :class, :confidence, :by, :reason, :fix, :now, :until)
ON CONFLICT DO UPDATE
SET class = excluded.class, confidence = excluded.confidence, judged_by = excluded.judged_by,
    reason = excluded.reason, fix = excluded.fix, at = excluded.at, until = excluded.until
WHERE verdicts.until IS NOT NULL OR excluded.until IS NULL;

-- name: forget_old
-- Verdicts that do not hold any more.
DELETE FROM verdicts WHERE until <= ?;

-- name: breaker
-- One breaker.
SELECT score, at, state, tries FROM breakers WHERE stage_id = :stage AND class = :class;

-- name: raise_score
-- Failures raise the score of a breaker.
INSERT INTO breakers (stage_id, class, score, at, state) VALUES (:stage, :class, :score, :now, 'closed')
ON CONFLICT DO UPDATE SET score = excluded.score, at = excluded.at;

-- name: open_breaker
-- Too many failures: it opens.
UPDATE breakers SET state = 'open', opened_at = :now, probe_at = :probe_at, tries = 0, canary_id = NULL
WHERE stage_id = :stage AND class = :class AND state = 'closed'
RETURNING stage_id;

-- name: breakers_due
-- Open breakers whose canary is due.
SELECT b.stage_id, b.class, b.tries, s.job_id FROM breakers AS b JOIN stages AS s ON s.id = b.stage_id
WHERE b.state = 'open' AND b.probe_at <= :now;

-- name: breakers_of
-- Breakers of a job that are not closed.
SELECT b.stage_id, b.class, b.state, b.probe_at FROM breakers AS b JOIN stages AS s ON s.id = b.stage_id
WHERE s.job_id = :job AND b.state <> 'closed';

-- name: probing
-- Canaries that run, with how their row stands.
SELECT b.stage_id, b.class, b.tries, s.job_id, b.canary_id, b.canary_fence, r.state, r.fence
FROM breakers AS b
JOIN stages AS s ON s.id = b.stage_id
LEFT JOIN item_stages AS r ON r.item_id = b.canary_id AND r.stage_id = b.stage_id
WHERE b.state = 'probing';

-- name: start_probe
-- A canary runs.
UPDATE breakers SET state = 'probing', canary_id = :item, canary_fence = :fence, probe_at = NULL
WHERE stage_id = :stage AND class = :class AND state = 'open';

-- name: probe_failed
-- The canary failed too; the next one runs later.
UPDATE breakers SET state = 'open', canary_id = NULL, canary_fence = NULL, tries = tries + 1, probe_at = :probe_at
WHERE stage_id = :stage AND class = :class AND state IN ('probing', 'open');

-- name: choose_again
-- The canary did not run; another one will.
UPDATE breakers SET state = 'open', canary_id = NULL, canary_fence = NULL, probe_at = :probe_at
WHERE stage_id = :stage AND class = :class AND state = 'probing';

-- name: close_breakers
-- Every breaker of a job is closed and forgets what it counted.
UPDATE breakers
SET state = 'closed', score = 0, at = :now, opened_at = NULL, probe_at = NULL, tries = 0, canary_id = NULL,
    canary_fence = NULL
WHERE stage_id IN (SELECT id FROM stages WHERE job_id = :job);

-- name: calm
-- A success takes back what closed breakers of these stages have counted.
UPDATE breakers SET score = 0, at = :now
WHERE stage_id IN (SELECT value FROM json_each(:stages)) AND state = 'closed' AND score > 0;

-- name: next_probe
-- When the next canary is due.
SELECT min(probe_at) FROM breakers WHERE state = 'open';

-- name: candidate
-- A failed or waiting row at a stage that could be the canary: the newest that failed, of an open incident.
SELECT m.item_id, r.fence FROM incident_items AS m
JOIN incidents AS n ON n.id = m.incident_id AND n.state = 'open'
JOIN item_stages AS r ON r.item_id = m.item_id AND r.stage_id = m.stage_id AND r.fence = m.fence
JOIN items AS i ON i.id = m.item_id AND i.state IN ('failed', 'pending') AND i.held IS NULL
WHERE m.stage_id = :stage AND r.state IN ('failed', 'later')
ORDER BY m.at DESC LIMIT 1;

-- name: candidate_ready
-- Else the row that is most due.
SELECT item_id, fence FROM item_stages WHERE stage_id = :stage AND state = 'ready' ORDER BY due_at LIMIT 1;

-- name: incidents_at
-- Open incidents with members at a stage.
SELECT DISTINCT n.id FROM incident_items AS m JOIN incidents AS n ON n.id = m.incident_id
WHERE m.stage_id = :stage AND n.state = 'open' AND n.class IN ('transient', 'throttled', 'systemic', 'code_bug', 'unknown');

-- name: members
-- Items of an incident whose row still stands as that failure left it; canaries of an earlier replay are left out.
SELECT m.item_id, m.stage_id, m.fence FROM incident_items AS m
JOIN item_stages AS r ON r.item_id = m.item_id AND r.stage_id = m.stage_id AND r.fence = m.fence
JOIN items AS i ON i.id = m.item_id AND i.state IN ('failed', 'pending')
WHERE m.incident_id = :incident AND r.state IN ('failed', 'later') AND m.is_canary = 0
ORDER BY m.at LIMIT :n;

-- name: mark_canary
-- This member runs first.
UPDATE incident_items SET is_canary = 1 WHERE incident_id = :incident AND item_id = :item AND stage_id = :stage;

-- name: canaries
-- How the canaries of an incident stand.
SELECT r.state, r.fence > m.fence FROM incident_items AS m
JOIN item_stages AS r ON r.item_id = m.item_id AND r.stage_id = m.stage_id
WHERE m.incident_id = :incident AND m.is_canary = 1;

-- name: drop_members
-- Members that are being replayed leave the incident; those that fail again come back to it.
DELETE FROM incident_items
WHERE incident_id = :incident AND (item_id, stage_id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(:rows));

-- name: drop_canaries
-- The canaries have run.
DELETE FROM incident_items WHERE incident_id = :incident AND is_canary = 1;

-- name: keep_canaries
-- The replay was broken off: those that did not pass are members as before.
UPDATE incident_items SET is_canary = 0 WHERE incident_id = :incident AND is_canary = 1;

-- name: replaying
-- Incidents whose canaries run.
SELECT id FROM incidents WHERE replaying_at IS NOT NULL;

-- name: set_replaying
-- Canaries run, or no more.
UPDATE incidents SET replaying_at = :at WHERE id = :incident;

-- name: close_incident
-- It is over.
UPDATE incidents SET state = :state, closed_at = :now, replaying_at = NULL WHERE id = :incident AND state = 'open';

-- name: reclass
-- A person, or a model, says what it is.
UPDATE incidents SET class = :class, confidence = :confidence, judged_by = :by, rule = NULL, reason = :reason, fix = :fix
WHERE id = :incident;

-- name: incident
-- One incident by its number or its signature.
SELECT id, signature, label, class, confidence, judged_by, rule, reason, fix, state, count, reopened, first_at, last_at,
    closed_at, replaying_at, evidence
FROM incidents WHERE id = :incident OR signature = :signature;

-- name: incident_stages
-- Where an incident has members, or has been judged.
SELECT stage_id FROM incident_items WHERE incident_id = :id
UNION
SELECT stage_id FROM doctor_actions WHERE incident_id = :id AND stage_id IS NOT NULL
UNION
SELECT stage_id FROM verdicts WHERE signature = :signature;

-- name: close_breaker
-- One breaker is closed, because what it counted was something else.
UPDATE breakers
SET state = 'closed', score = 0, at = :now, opened_at = NULL, probe_at = NULL, tries = 0, canary_id = NULL,
    canary_fence = NULL
WHERE stage_id = :stage AND class = :class;

-- name: probe_now
-- The next canary of a stage is due.
UPDATE breakers SET probe_at = :now WHERE stage_id = :stage AND state = 'open';

-- name: hurry_actions
-- What was planned is due.
UPDATE doctor_actions SET due_at = :now WHERE incident_id = :incident AND state = 'pending';

-- name: plan_action
-- Something that was done, or will be.
INSERT INTO doctor_actions (incident_id, job_id, stage_id, action, tier, state, text, at, due_at, ended_at)
VALUES (:incident, :job, :stage, :action, :tier, :state, :text, :now, :due_at, CASE :state WHEN 'done' THEN :now END);

-- name: has_action
-- Whether this is planned already, or was done since a time.
SELECT EXISTS (
    SELECT 1 FROM doctor_actions
    WHERE incident_id = :incident AND job_id = :job AND action = :action AND (state = 'pending' OR at >= :since)
);

-- name: actions_due
-- Actions whose time has come.
SELECT id, incident_id, job_id, stage_id, action, text FROM doctor_actions
WHERE state = 'pending' AND due_at <= :now ORDER BY due_at;

-- name: actions_pending_of
-- What would be done about an incident.
SELECT id, incident_id, job_id, stage_id, action, text FROM doctor_actions
WHERE incident_id = :incident AND state = 'pending';

-- name: end_action
-- It was done, or vetoed.
UPDATE doctor_actions SET state = :state, ended_at = :now WHERE id = :id AND state = 'pending';

-- name: next_action
-- When the next action is taken.
SELECT min(due_at) FROM doctor_actions WHERE state = 'pending';

-- name: pause_of
-- Who paused a job.
SELECT paused_by FROM jobs WHERE id = ? AND state = 'paused';

-- name: keep_bell
-- Whether the terminal rings when an incident opens.
INSERT INTO meta (key, value) VALUES ('doctor:bell', ?) ON CONFLICT DO UPDATE SET value = excluded.value;

-- name: slow
-- Hold something back until a time.
INSERT INTO slowed (name, until) VALUES (?, ?) ON CONFLICT DO UPDATE SET until = max(until, excluded.until);

-- name: slowed
-- What is held back.
SELECT name, until FROM slowed WHERE until > ?;

-- name: not_slowed
-- What is held back no more.
DELETE FROM slowed WHERE until <= ?;
