-- name: conversations
-- Conversations that nobody has spoken in since a time, of items in which nothing is open.
SELECT c.id FROM conversations AS c
WHERE c.updated_at < :at AND NOT EXISTS (
    SELECT 1 FROM items AS i WHERE i.id = c.item_id AND i.state NOT IN ('done', 'skipped', 'dropped', 'gone')
)
ORDER BY c.updated_at LIMIT :n;

-- name: turns
-- What was said in them.
DELETE FROM turns WHERE conversation_id IN (SELECT value FROM json_each(?));

-- name: delete_conversations
-- And they themselves.
DELETE FROM conversations WHERE id IN (SELECT value FROM json_each(?));

-- name: juries
-- What juries came to before a time.
SELECT id FROM juries WHERE at < :at ORDER BY id LIMIT :n;

-- name: ballots
-- What their members said.
DELETE FROM ballots WHERE jury_id IN (SELECT value FROM json_each(?));

-- name: delete_juries
-- And they themselves.
DELETE FROM juries WHERE id IN (SELECT value FROM json_each(?));

-- name: incidents
-- Incidents that were closed before a time, about which nothing is planned.
SELECT i.id FROM incidents AS i
WHERE i.closed_at < :at
    AND NOT EXISTS (SELECT 1 FROM doctor_actions AS a WHERE a.incident_id = i.id AND a.state = 'pending')
ORDER BY i.closed_at LIMIT :n;

-- name: incident_items
-- Who failed with them.
DELETE FROM incident_items WHERE incident_id IN (SELECT value FROM json_each(?));

-- name: actions
-- What was done about them.
DELETE FROM doctor_actions WHERE incident_id IN (SELECT value FROM json_each(?));

-- name: delete_incidents
-- And they themselves.
DELETE FROM incidents WHERE id IN (SELECT value FROM json_each(?));

-- name: versions
-- Versions first seen before a time that nothing rests on: no result was made by them, or by one that counts as the same;
-- neither runs now. The newest ones of each stage stay, an attempt may still run under them.
SELECT v.id FROM versions AS v
WHERE v.made_at < :at AND v.results = 0
    AND v.id NOT IN (SELECT n.id FROM versions AS n WHERE n.stage_id = v.stage_id ORDER BY n.id DESC LIMIT 5)
    AND NOT EXISTS (
        SELECT 1 FROM versions AS o JOIN stages AS s ON s.id = o.stage_id
        WHERE o.stage_id = v.stage_id AND o.class_id = v.class_id AND (o.results > 0 OR o.id = s.version_id)
    )
ORDER BY v.id LIMIT :n;

-- name: symbol_verdicts
-- What was said of single changes to or from them.
DELETE FROM symbol_verdicts WHERE judgement_id IN (
    SELECT id FROM judgements
    WHERE old_id IN (SELECT value FROM json_each(:ids)) OR new_id IN (SELECT value FROM json_each(:ids))
);

-- name: judgements
-- What was judged of them.
DELETE FROM judgements
WHERE old_id IN (SELECT value FROM json_each(:ids)) OR new_id IN (SELECT value FROM json_each(:ids));

-- name: version_symbols
-- What they were made of.
DELETE FROM version_symbols WHERE version_id IN (SELECT value FROM json_each(?));

-- name: delete_versions
-- And they themselves.
DELETE FROM versions WHERE id IN (SELECT value FROM json_each(?));

-- name: symbols
-- Snapshots that no version is made of any more.
DELETE FROM symbols WHERE id IN (
    SELECT s.id FROM symbols AS s WHERE NOT EXISTS (SELECT 1 FROM version_symbols AS v WHERE v.symbol_id = s.id) LIMIT :n
);

-- name: model_use
-- Sums of model calls before a time.
DELETE FROM model_use WHERE at < :at;

-- name: spent
-- Sums of money before a time.
DELETE FROM spent WHERE at < :at;
