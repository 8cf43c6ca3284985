-- name: head
-- The first row of the queue of a stage: its rank, its item's priority, and whether a person has answered its question.
SELECT x.due_at, i.priority, x.answer IS NOT NULL
FROM item_stages AS x JOIN items AS i ON i.id = x.item_id
WHERE x.stage_id = ? AND x.state = 'ready' ORDER BY x.due_at LIMIT 1;

-- name: ready
-- How many rows queue at a stage.
SELECT n FROM stage_counts WHERE stage_id = ? AND state = 'ready';

-- name: advice
-- What a model has advised about it.
SELECT factor, why FROM advice WHERE stage_id = :stage AND until > :now;

-- name: quota
-- What is left of the tightest quota of the model that a stage needs, as a share, and when it begins anew.
SELECT 1.0 - CASE WHEN q.resets_at > :now THEN min(1.0, 1.0 * q.used / q.per_day) ELSE 0.0 END, q.resets_at
FROM stages AS s JOIN quotas AS q ON q.per_day IS NOT NULL AND q.removed = 0 AND (
    q.name = 'model:' || s.model
    OR q.name IN (SELECT j.value FROM models AS m, json_each(m.lanes) AS j WHERE m.name = s.model)
)
WHERE s.id = :stage AND s.model IS NOT NULL ORDER BY 1 LIMIT 1;
