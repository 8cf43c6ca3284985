-- name: adopt
-- Results of unknown origin count as made by a version; a person said so.
UPDATE results SET version_id = :version WHERE stage_id = :stage AND version_id IS NULL;

-- name: stage_names
-- What a stage is called.
SELECT j.id, j.name, s.name FROM stages AS s JOIN jobs AS j ON j.id = s.job_id WHERE s.id = ?;
