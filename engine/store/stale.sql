-- name: adopt
-- Results of unknown origin count as made by a version; a person said so.
UPDATE results SET version_id = :version WHERE stage_id = :stage AND version_id IS NULL;
