-- name: stages_more
-- So many more rows of a stage are in a state.
INSERT INTO stage_counts (stage_id, state, n) VALUES (:stage, :state, :n) ON CONFLICT DO UPDATE SET n = n + excluded.n;

-- name: stages_fewer
-- So many fewer.
UPDATE stage_counts SET n = n - :n WHERE stage_id = :stage AND state = :state;

-- name: items_more
-- So many more items of a job and source are in a state.
INSERT INTO item_counts (job_id, source_id, state, n) VALUES (:job, :source, :state, :n)
ON CONFLICT DO UPDATE SET n = n + excluded.n;
