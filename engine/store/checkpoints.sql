-- name: any
-- Whether there is any: most engines never have one.
SELECT EXISTS (SELECT 1 FROM checkpoints);

-- name: load
-- What earlier attempts saved of these items at a stage; what is older than a result there is over.
SELECT c.item_id, c.value
FROM checkpoints AS c LEFT JOIN results AS r ON r.item_id = c.item_id AND r.stage_id = c.stage_id
WHERE c.stage_id = :stage AND c.item_id IN (SELECT value FROM json_each(:items)) AND c.fence > coalesce(r.fence, 0);

-- name: save
-- Keep a value for the next attempt; only while this one holds its row.
INSERT INTO checkpoints (item_id, stage_id, fence, value, saved_at)
SELECT s.item_id, s.stage_id, :fence, :value, :now FROM item_stages AS s
WHERE s.item_id = :item AND s.stage_id = :stage AND s.state = 'running' AND s.fence = :fence AND s.owner = :epoch
ON CONFLICT DO UPDATE SET fence = excluded.fence, value = excluded.value, saved_at = excluded.saved_at;

-- name: prune
-- What belongs to stages that are done by now.
DELETE FROM checkpoints WHERE (item_id, stage_id) IN (
    SELECT c.item_id, c.stage_id FROM checkpoints AS c
    JOIN results AS r ON r.item_id = c.item_id AND r.stage_id = c.stage_id AND r.fence >= c.fence
    LIMIT :n
);
