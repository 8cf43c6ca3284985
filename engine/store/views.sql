-- name: change
-- Differs from the last answer whenever another connection has written.
PRAGMA data_version;

-- name: problem
-- What a person should know at once.
SELECT value FROM meta WHERE key IN ('problem:configuration', 'problem:disk') AND value <> '' ORDER BY key DESC LIMIT 1;

-- name: any_bulk
-- Whether a command on many items goes on, or has ended since a time.
SELECT 1 FROM bulks WHERE ended_at IS NULL UNION ALL SELECT 1 FROM bulks WHERE ended_at >= ? LIMIT 1;

-- name: has_budget
-- Whether all jobs together have a daily limit.
SELECT 1 FROM budgets WHERE job_id = 0;

-- name: jobs
-- Every job that is configured, in the order written, with its newest run and its newest failure.
SELECT j.id, j.name, j.title, j.emoji, j.internal, j.is_check, j.findings_to, j.state, j.why, j.every_s, j.cron,
    j.next_run_at, j.paused_until, coalesce(j.paused_guard, j.paused_by) AS paused_by,
    (SELECT max(r.id) FROM runs AS r WHERE r.job_id = j.id) AS run_id,
    (SELECT e.text FROM events AS e WHERE e.job_id = j.id AND e.level = 'error' AND e.id > coalesce(
        (SELECT max(d.id) FROM events AS d WHERE d.job_id = j.id) - 2000, 0) ORDER BY e.id DESC LIMIT 1) AS error
FROM jobs AS j WHERE j.state <> 'removed' ORDER BY j.position, j.id;

-- name: holds
-- Why nothing of a job may start, as the engine found it last.
SELECT job_id, gate, why, until FROM holds ORDER BY job_id, gate, why;

-- name: held_items
-- How many items of a job are held, counted up to a bound, and why one of them is.
SELECT count(*), max(held) FROM (SELECT held FROM items WHERE job_id = :job AND held IS NOT NULL LIMIT :bound);

-- name: steering
-- What steers one item.
SELECT signals, priority_by, priority_why, held, last_completed_at, next_due_at, proposed_why FROM items WHERE id = ?;

-- name: needs
-- What one item waits for, with the state of each; NULL: it has not been found.
SELECT d.key, i.state FROM item_deps AS d LEFT JOIN items AS i ON i.job_id = d.job_id AND i.key = d.key
WHERE d.item_id = ? ORDER BY d.key;

-- name: stages
-- Every stage that is configured.
SELECT s.id, s.job_id, s.name, s.position, s.handler, s.after, s.gate, s.enabled, s.concurrency, s.pace, s.resources,
    s.paused_at, s.paused_why, s.paused_until, j.pace AS job_pace, j.name AS job, s.model,
    (SELECT x.due_at - coalesce(
        CASE i.priority WHEN 0 THEN :p0 WHEN 1 THEN :p1 WHEN 2 THEN :p2 WHEN 3 THEN :p3 END, :p_none)
     FROM item_stages AS x JOIN items AS i ON i.id = x.item_id
     WHERE x.stage_id = s.id AND x.state = 'ready' ORDER BY x.due_at LIMIT 1) AS ready_at
FROM stages AS s JOIN jobs AS j ON j.id = s.job_id WHERE s.removed = 0 ORDER BY s.job_id, s.position;

-- name: limited_stages
-- What limits every configured stage, and since when the first of its queue is ready.
SELECT s.id, s.name, j.name, s.concurrency, s.pace, j.pace, s.resources,
    (SELECT x.due_at - coalesce(
        CASE i.priority WHEN 0 THEN :p0 WHEN 1 THEN :p1 WHEN 2 THEN :p2 WHEN 3 THEN :p3 END, :p_none)
     FROM item_stages AS x JOIN items AS i ON i.id = x.item_id
     WHERE x.stage_id = s.id AND x.state = 'ready' ORDER BY x.due_at LIMIT 1)
FROM stages AS s JOIN jobs AS j ON j.id = s.job_id WHERE s.removed = 0 ORDER BY s.job_id, s.position;

-- name: resources
-- Shared capacity as configured.
SELECT name, capacity, pace FROM resources;

-- name: adjustments
-- Limits that a person has set, with what jobs.yaml says instead.
SELECT kind, name, coalesce(configured, '') FROM adjustments;

-- name: models
-- The aliases in the order written, with what keeps them from being asked.
SELECT name, missing, hold, hold_until FROM models ORDER BY position;

-- name: buckets
-- When each bucket's next grant is free.
SELECT name, next_at FROM buckets;

-- name: throttled
-- What was asked to go slower: buckets, and stages (`number:N`) without one.
SELECT name, until FROM slowed;

-- name: next_later_of_stage
-- When the first row of a stage that waits for a time comes back.
SELECT min(due_at) FROM item_stages WHERE stage_id = ? AND state = 'later';

-- name: stage_counts
-- How many items are in which state at which stage.
SELECT stage_id, state, n FROM stage_counts WHERE n > 0;

-- name: item_counts
-- How many items of which job, from which source, are in which state.
SELECT job_id, source_id, state, n FROM item_counts WHERE n > 0;

-- name: run
-- One run.
SELECT r.id, j.name, r.state, r.started_at, r.ended_at, r.found, r.new, r.changed, r.gone, r.problems, r.error, r.held_back
FROM runs AS r JOIN jobs AS j ON j.id = r.job_id WHERE r.id = ?;

-- name: runs
-- Runs, newest first.
SELECT r.id, j.name, r.state, r.started_at, r.ended_at, r.found, r.new, r.changed, r.gone, r.problems, r.error, r.held_back
FROM runs AS r JOIN jobs AS j ON j.id = r.job_id ORDER BY r.id DESC LIMIT :limit;

-- name: runs_of_job
-- Runs of one job, newest first.
SELECT r.id, j.name, r.state, r.started_at, r.ended_at, r.found, r.new, r.changed, r.gone, r.problems, r.error, r.held_back
FROM runs AS r JOIN jobs AS j ON j.id = r.job_id WHERE r.job_id = :job ORDER BY r.id DESC LIMIT :limit;

-- name: job_id
-- The number of a job.
SELECT id FROM jobs WHERE name = ?;

-- name: page_stages
-- Rows of the items of a page, at configured stages, in the order of the stages.
SELECT x.item_id, s.name, x.state, x.attempts, x.why, x.due_at, l.done, l.total, l.text
FROM item_stages AS x JOIN stages AS s ON s.id = x.stage_id
LEFT JOIN live AS l ON x.state = 'running' AND l.item_id = x.item_id AND l.stage_id = x.stage_id AND l.fence = x.fence
WHERE x.item_id IN (SELECT value FROM json_each(?)) AND s.removed = 0
ORDER BY s.position;

-- name: item_stages
-- One item at every configured stage, with its results.
SELECT s.name, s.position, x.state, s.gate, s.after, x.attempts, s.max_attempts, x.fence, x.due_at, x.started_at,
    x.ended_at, x.why, x.choices, r.output, r.output_hash, r.artifacts, r.cost_usd_micros, l.done, l.total, l.text
FROM item_stages AS x JOIN stages AS s ON s.id = x.stage_id
LEFT JOIN live AS l ON x.state = 'running' AND l.item_id = x.item_id AND l.stage_id = x.stage_id AND l.fence = x.fence
LEFT JOIN results AS r ON r.item_id = x.item_id AND r.stage_id = x.stage_id
WHERE x.item_id = ? AND s.removed = 0
ORDER BY s.position;

-- name: provenance
-- What led to an item beside its first discovery.
SELECT name, value FROM provenance WHERE item_id = ? ORDER BY name, first_seen_at, value;

-- name: seen_again
-- When an item was seen again, and its parent.
SELECT i.last_seen_at, p.key, p.title, p.state FROM items AS i LEFT JOIN items AS p ON p.id = i.parent_id WHERE i.id = ?;

-- name: children
-- Items whose parent this one is.
SELECT key, title, state FROM items WHERE parent_id = ? ORDER BY id LIMIT 100;

-- name: logs
-- What attempts of an item logged, newest first.
SELECT s.name, l.fence, l.lines FROM live AS l JOIN stages AS s ON s.id = l.stage_id
WHERE l.item_id = ? AND l.lines IS NOT NULL ORDER BY l.at DESC, l.fence DESC LIMIT 20;

-- name: talks
-- The newest turns of the conversations of an item.
SELECT c.id, c.name, c.alias, c.state, c.why, t.at, t.question, t.answer
FROM conversations AS c JOIN turns AS t ON t.conversation_id = c.id
WHERE c.item_id = ? AND t.kind = 'turn' ORDER BY c.id DESC, t.n DESC LIMIT 20;

-- name: replaced
-- Results of an item that are not there any more, newest first.
SELECT s.name, h.fence, h.version, hex(h.output_hash), h.ended_at, h.replaced_by
FROM result_history AS h JOIN stages AS s ON s.id = h.stage_id WHERE h.item_id = ? ORDER BY h.id DESC LIMIT 50;

-- name: coming
-- The head of the queue of one stage.
SELECT i.key, i.title, i.priority, x.due_at
FROM item_stages AS x JOIN items AS i ON i.id = x.item_id
WHERE x.stage_id = (SELECT s.id FROM stages AS s JOIN jobs AS j ON j.id = s.job_id WHERE j.name = :job AND s.name = :stage)
    AND x.state = 'ready'
ORDER BY x.due_at LIMIT :limit;

-- name: attempts
-- Attempts of one item that did not end well, newest first.
SELECT s.name, a.attempt, a.fence, a.started_at, a.ended_at, a.error_type, a.message, a.traceback
FROM attempts AS a JOIN stages AS s ON s.id = a.stage_id
WHERE a.item_id = ? ORDER BY a.id DESC LIMIT 50;

-- name: event_columns
-- Columns of an event; the conditions below are appended.
SELECT e.id, e.at, e.level, e.kind, e.actor, j.name, i.key, s.name, e.text, e.ms, e.data
FROM events AS e LEFT JOIN jobs AS j ON j.id = e.job_id LEFT JOIN items AS i ON i.id = e.item_id
LEFT JOIN stages AS s ON s.id = e.stage_id

-- name: events_of_item
WHERE e.item_id = :item ORDER BY e.id DESC LIMIT 200

-- name: events_before
WHERE e.id < :before ORDER BY e.id DESC LIMIT :limit

-- name: events_before_of_job
WHERE e.job_id = :job AND e.id < :before ORDER BY e.id DESC LIMIT :limit

-- name: events_after
WHERE e.id > :after ORDER BY e.id LIMIT :limit

-- name: events_after_of_job
WHERE e.job_id = :job AND e.id > :after ORDER BY e.id LIMIT :limit

-- name: events_before_in_scope
-- Of each job the newest, then the newest of those: a scope in which little happens is found without a walk past all
-- that happened in the other. What is about no job is the engine's own, and internal.
WHERE e.id IN (
    SELECT r.id FROM jobs AS q JOIN events AS r ON r.id IN (
        SELECT id FROM events WHERE job_id = q.id AND id < :before ORDER BY id DESC LIMIT :limit)
    WHERE q.internal = :internal
    UNION ALL
    SELECT id FROM (
        SELECT id FROM events WHERE :internal AND job_id IS NULL AND id < :before ORDER BY id DESC LIMIT :limit))
ORDER BY e.id DESC LIMIT :limit

-- name: events_after_in_scope
-- The same the other way round.
WHERE e.id IN (
    SELECT r.id FROM jobs AS q JOIN events AS r ON r.id IN (
        SELECT id FROM events WHERE job_id = q.id AND id > :after ORDER BY id LIMIT :limit)
    WHERE q.internal = :internal
    UNION ALL
    SELECT id FROM (
        SELECT id FROM events WHERE :internal AND job_id IS NULL AND id > :after ORDER BY id LIMIT :limit))
ORDER BY e.id LIMIT :limit

-- name: events_of_stage
-- Those of one stage among the newest of its job, as no index leads to a stage.
WHERE e.id IN (SELECT id FROM events WHERE job_id = :job ORDER BY id DESC LIMIT :looked) AND s.name = :stage
ORDER BY e.id DESC LIMIT :limit

-- name: events_of_incident
-- Among the newest of its jobs and of the engine itself: what names it, what happened to those that stand with it where
-- they failed, and what was done to its jobs because of their failures.
WHERE e.id IN (
    SELECT r.id FROM jobs AS q JOIN events AS r ON r.id IN (
        SELECT id FROM events WHERE job_id = q.id ORDER BY id DESC LIMIT :looked)
    WHERE q.name IN (SELECT value FROM json_each(:jobs))
    UNION ALL
    SELECT id FROM (SELECT id FROM events WHERE job_id IS NULL ORDER BY id DESC LIMIT :looked))
AND (json_extract(e.data, '$.incident') = :incident
    OR EXISTS (SELECT 1 FROM incident_items AS m
        WHERE m.incident_id = :incident AND m.item_id = e.item_id AND m.stage_id = e.stage_id)
    OR e.item_id IS NULL AND (e.kind IN ('job.paused', 'job.resumed') OR e.kind GLOB 'breaker.*')
    OR e.kind = 'run.failed' AND (SELECT signature FROM incidents WHERE id = :incident) GLOB 'run:*')
ORDER BY e.id DESC LIMIT :limit

-- name: events_count
-- How many events there are: numbers are given without holes, and pruning takes the oldest.
SELECT coalesce(max(id) - min(id) + 1, 0) FROM events;

-- name: events_count_of_job
-- How many events of one job there are.
SELECT count(*) FROM events WHERE job_id = :job;

-- name: events_count_in_scope
-- How many events of a scope there are; what is about no job is the engine's own, and internal.
SELECT (SELECT count(*) FROM events WHERE job_id IN (SELECT id FROM jobs WHERE internal = :internal))
    + (SELECT count(*) FROM events WHERE :internal AND job_id IS NULL);

-- name: item_columns
-- Columns of an item in a list; conditions and order below are appended.
SELECT i.id, i.key, j.name, i.title, i.state, i.priority, coalesce(i.held, i.why), i.path, i.line, i.headings,
    i.origin, f.name, i.confidence, i.created_at, i.updated_at, i.snoozed_until, i.data,
    CASE WHEN i.state = 'waiting' AND i.accepted_at IS NULL THEN i.proposed END,
    (SELECT coalesce(sum(r.cost_usd_micros), 0) FROM results AS r WHERE r.item_id = i.id)
FROM items AS i JOIN jobs AS j ON j.id = i.job_id JOIN jobs AS f ON f.id = i.source_id

-- name: items_count
SELECT count(*) FROM items AS i

-- name: sort_created
SELECT i.id FROM items AS i

-- name: sort_updated
SELECT i.updated_at, i.id FROM items AS i

-- name: sort_key
SELECT i.key, i.id FROM items AS i

-- name: sort_place
SELECT coalesce(i.path, char(1114111)), coalesce(i.line, 0), i.id FROM items AS i

-- name: sort_priority
SELECT coalesce(i.priority, 9), i.id FROM items AS i

-- name: in_job
WHERE i.job_id = :job

-- name: in_scope
WHERE i.job_id IN (SELECT id FROM jobs WHERE state <> 'removed' AND internal = :internal)

-- name: in_all
WHERE i.job_id IN (SELECT id FROM jobs WHERE state <> 'removed')

-- name: in_all_by_id
-- The same for a list in the order of ids: `+` keeps to that order, so that nothing is sorted and a page ends early.
WHERE +i.job_id IN (SELECT id FROM jobs WHERE state <> 'removed')

-- name: from_created
AND i.id >= :k0

-- name: from_updated
AND (i.updated_at, i.id) <= (:k0, :k1)

-- name: from_key
AND (i.key, i.id) >= (:k0, :k1)

-- name: from_place
AND (coalesce(i.path, char(1114111)), coalesce(i.line, 0), i.id) >= (:k0, :k1, :k2)

-- name: from_priority
AND (coalesce(i.priority, 9), i.id) >= (:k0, :k1)

-- name: from_created_down
AND i.id <= :k0

-- name: from_updated_down
AND (i.updated_at, i.id) >= (:k0, :k1)

-- name: from_key_down
AND (i.key, i.id) <= (:k0, :k1)

-- name: from_place_down
AND (coalesce(i.path, char(1114111)), coalesce(i.line, 0), i.id) <= (:k0, :k1, :k2)

-- name: from_priority_down
AND (coalesce(i.priority, 9), i.id) <= (:k0, :k1)

-- name: by_created
ORDER BY i.id

-- name: by_updated
ORDER BY i.updated_at DESC, i.id DESC

-- name: by_key
ORDER BY i.key, i.id

-- name: by_place
ORDER BY coalesce(i.path, char(1114111)), coalesce(i.line, 0), i.id

-- name: by_priority
ORDER BY coalesce(i.priority, 9), i.id

-- name: by_created_down
ORDER BY i.id DESC

-- name: by_updated_down
ORDER BY i.updated_at, i.id

-- name: by_key_down
ORDER BY i.key DESC, i.id DESC

-- name: by_place_down
ORDER BY coalesce(i.path, char(1114111)) DESC, coalesce(i.line, 0) DESC, i.id DESC

-- name: by_priority_down
ORDER BY coalesce(i.priority, 9) DESC, i.id DESC

-- name: one_after
-- The row that comes so many after the first.
LIMIT 1 OFFSET :step

-- name: limited
LIMIT :limit

-- name: one_item
WHERE i.job_id = :job AND i.key = :key

-- name: stale_results
-- How many results are stale, for the status line.
SELECT coalesce(sum(v.results), 0)
FROM stages AS s
JOIN versions AS v ON v.stage_id = s.id AND v.results > 0
JOIN versions AS c ON c.id = s.version_id
WHERE v.class_id <> c.class_id AND s.removed = 0;

-- name: incident_counts
-- How many incidents are open, how often one has opened, and whether the terminal rings for that.
SELECT coalesce(sum(state = 'open'), 0), count(*) + coalesce(sum(reopened), 0),
    EXISTS (SELECT 1 FROM meta WHERE key = 'doctor:bell' AND value = '1')
FROM incidents;
