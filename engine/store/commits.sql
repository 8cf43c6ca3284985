-- name: note
-- The number of the group that is committed with this.
INSERT INTO meta (key, value) VALUES ('commit', ?) ON CONFLICT DO UPDATE SET value = excluded.value;

-- name: noted
-- The number of the last group that was committed.
SELECT value FROM meta WHERE key = 'commit';
