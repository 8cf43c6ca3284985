-- name: to_judge
-- Items that wait at a gate `accept` and were changed, or not judged at all, since the rules were last applied; with
-- what the rules may ask about them. What their stages found so far comes with them.
SELECT i.id, i.key, i.title, i.data, i.signals, i.origin, f.name, i.path, i.confidence, i.priority, i.created_at, i.ruled_at,
    (SELECT json_group_array(json_array(r.output, hex(r.output_hash))) FROM results AS r WHERE r.item_id = i.id)
FROM item_stages AS x JOIN items AS i ON i.id = x.item_id JOIN jobs AS f ON f.id = i.source_id
WHERE x.stage_id = :stage AND x.state = 'waiting' AND x.opened_at IS NULL AND i.state NOT IN ('snoozed', 'dropped', 'gone')
    AND i.accepted_at IS NULL
    AND (i.ruled_at IS NULL OR i.ruled_at < max(i.updated_at, :since))
LIMIT :limit;

-- name: judged
-- What the rules propose for an item; NULL: none fits.
UPDATE items SET ruled_at = :now, proposed = :do, proposed_why = :why, proposed_ms = :ms WHERE id = :id;

-- name: proposed
-- What the rules propose for these items.
SELECT key, proposed, proposed_why, proposed_ms FROM items
WHERE job_id = :job AND key IN (SELECT value FROM json_each(:keys));

-- name: is_left
-- Whether anything is proposed in jobs other than these.
SELECT EXISTS (
    SELECT 1 FROM items WHERE proposed IS NOT NULL AND job_id NOT IN (SELECT value FROM json_each(:jobs))
);

-- name: forget
-- Nothing is proposed any more in jobs other than these: they have no rules now.
UPDATE items SET proposed = NULL, proposed_why = NULL, proposed_ms = NULL
WHERE proposed IS NOT NULL AND job_id NOT IN (SELECT value FROM json_each(:jobs));
