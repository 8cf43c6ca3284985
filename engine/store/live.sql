-- name: store
-- What an attempt has told so far; of an attempt that is known it replaces what it told before.
INSERT INTO live (item_id, stage_id, fence, done, total, text, lines, at)
SELECT s.item_id, s.stage_id, :fence, :done, :total, :text, :lines, :now FROM item_stages AS s
WHERE s.item_id = :item AND s.stage_id = :stage
ON CONFLICT DO UPDATE SET done = excluded.done, total = excluded.total, text = excluded.text, lines = excluded.lines,
    at = excluded.at;

-- name: forget
-- What older attempts told.
DELETE FROM live WHERE item_id = :item AND stage_id = :stage AND fence <= :fence - :kept;

-- name: prune
-- What attempts told long ago, of items in which nothing is open.
DELETE FROM live WHERE (item_id, stage_id, fence) IN (
    SELECT l.item_id, l.stage_id, l.fence FROM live AS l JOIN items AS i ON i.id = l.item_id
    WHERE l.at < :at AND i.state IN ('done', 'skipped', 'dropped', 'gone') LIMIT :n
);
