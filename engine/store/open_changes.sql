-- name: standing
-- What was said last of a pair, and by whom.
SELECT id, verdict, by, at FROM judgements
WHERE stage_id = :stage AND old_id = :old AND new_id = :new AND revoked_at IS NULL ORDER BY id DESC LIMIT 1;

-- name: paused_for_cost
-- Whether a job is paused because too much was spent.
SELECT EXISTS (
    SELECT 1 FROM jobs WHERE id = :job AND state = 'paused' AND paused_by = 'guard'
        AND coalesce(paused_guard, :guard) = :guard
);

-- name: inputs
-- Results that a version made, the newest first, of which everything that went in is as it was; without files, which are
-- not compared. Among the newest :span items only: it is better to find none than to walk over all results.
SELECT r.item_id, r.output, r.output_hash, s.answer
FROM results AS r
JOIN item_stages AS s ON s.item_id = r.item_id AND s.stage_id = r.stage_id AND +s.state = 'done'
JOIN items AS i ON i.id = r.item_id
WHERE r.item_id > (SELECT max(id) FROM items) - :span
    AND r.stage_id = :stage AND r.version_id = :version AND r.artifacts IS NULL AND i.state NOT IN ('dropped', 'gone')
    AND NOT EXISTS (
        SELECT 1 FROM results AS u
        WHERE u.item_id = r.item_id AND u.stage_id IN (SELECT value FROM json_each(:ancestors))
            AND u.changed_at > r.ended_at
    )
ORDER BY r.item_id DESC LIMIT :n;
