-- name: of_gate
-- What one gate holds a job back by.
SELECT why, until FROM holds WHERE job_id = ? AND gate = ?;

-- name: clear
-- One gate lets a job through.
DELETE FROM holds WHERE job_id = ? AND gate = ?;

-- name: clear_all
-- A new engine looks anew.
DELETE FROM holds;

-- name: tell
-- One gate holds a job back.
INSERT INTO holds (job_id, gate, why, until) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET until = excluded.until;
