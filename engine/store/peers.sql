-- name: stage
-- The stage of a job with this name.
SELECT id FROM stages WHERE job_id = :job AND name = :name AND removed = 0;

-- name: open_ones
-- Other open items of a job that passed a stage, with what it gave.
SELECT i.key, i.title, i.data, i.path, i.line, i.priority, i.state, r.output, r.output_hash
FROM items AS i JOIN results AS r ON r.item_id = i.id AND r.stage_id = :stage
WHERE i.job_id = :job AND i.state IN ('pending', 'waiting', 'failed') AND i.id <> :item
    AND length(i.data) <= :largest AND length(r.output) <= :largest
LIMIT :n;
