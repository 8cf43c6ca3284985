-- name: data
-- The data of an item, what its source says beneath it, and what a person has set.
SELECT data, data_given, amended FROM items WHERE id = ?;

-- name: amend
-- Data as a person wants it, with what its source says kept beneath.
UPDATE items SET data = :data, data_given = :given, amended = :amended, updated_at = :now WHERE id = :item;
