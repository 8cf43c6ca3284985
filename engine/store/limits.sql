-- name: buckets
-- How much each bucket has given.
SELECT name, tat FROM buckets;

-- name: store_bucket
-- A bucket gave something, in the transaction of the claims that took it.
INSERT INTO buckets (name, tat, next_at) VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET tat = excluded.tat, next_at = excluded.next_at;

-- name: clear_resources
-- The resources are written anew with each configuration.
DELETE FROM resources;

-- name: store_resource
-- A resource as configured.
INSERT INTO resources (name, capacity, pace) VALUES (?, ?, ?);
