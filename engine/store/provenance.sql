-- name: add
-- One more thing that led to an item, or the same again.
INSERT INTO provenance (item_id, name, value, first_seen_at, last_seen_at) VALUES (:item, :name, :value, :now, :now)
ON CONFLICT DO UPDATE SET last_seen_at = excluded.last_seen_at WHERE last_seen_at < excluded.last_seen_at - 600000;

-- name: seen
-- These items were seen again; at most once in ten minutes, a scan sees thousands.
UPDATE items SET last_seen_at = :now
WHERE id IN (SELECT value FROM json_each(:items)) AND coalesce(last_seen_at, created_at) < :now - 600000;

-- name: trim
-- An item keeps so much of one kind, the newest.
DELETE FROM provenance WHERE item_id = :item AND name = :name AND value IN (
    SELECT value FROM provenance WHERE item_id = :item AND name = :name ORDER BY first_seen_at DESC LIMIT -1 OFFSET :kept
);
