-- name: last_undone
-- The command that was taken back last and not done again, unless a person has done something else since.
SELECT o.id, o.name, o.args, o.before, j.name, b.id IS NOT NULL
FROM operations AS o LEFT JOIN jobs AS j ON j.id = o.job_id LEFT JOIN bulks AS b ON b.id = o.id
WHERE o.undone_at IS NOT NULL AND o.redone_as IS NULL AND NOT EXISTS (
    SELECT 1 FROM operations AS n
    WHERE n.id > o.id AND n.undone_at IS NULL AND n.at >= o.undone_at AND n.name <> 'rules'
        AND NOT EXISTS (SELECT 1 FROM operations AS r WHERE r.redone_as = n.id)
)
ORDER BY o.undone_at DESC, o.id LIMIT 1;

-- name: done
-- What was taken back of a command has been done again by another one.
UPDATE operations SET redone_as = :by WHERE id = :id;
