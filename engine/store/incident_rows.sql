-- name: incidents
-- Incidents in these states, those that happened last first.
SELECT id, signature, label, class, confidence, judged_by, rule, reason, fix, state, count, first_at, last_at, reopened,
    replaying_at IS NOT NULL, evidence
FROM incidents WHERE state IN (SELECT value FROM json_each(:states)) ORDER BY last_at DESC, id DESC LIMIT :n;

-- name: one
-- One incident by its number or signature.
SELECT id, signature, label, class, confidence, judged_by, rule, reason, fix, state, count, first_at, last_at, reopened,
    replaying_at IS NOT NULL, evidence
FROM incidents WHERE id = :id OR signature = :signature;

-- name: members
-- How many items stand with these incidents, by stage.
SELECT m.incident_id, j.name, s.name, count(*), s.id
FROM incident_items AS m JOIN stages AS s ON s.id = m.stage_id JOIN jobs AS j ON j.id = s.job_id
WHERE m.incident_id IN (SELECT value FROM json_each(?)) GROUP BY m.incident_id, s.id ORDER BY s.id;

-- name: acts
-- What was and will be done about these incidents.
SELECT a.incident_id, a.action, a.tier, a.state, a.text, j.name, a.at, a.due_at
FROM doctor_actions AS a JOIN jobs AS j ON j.id = a.job_id
WHERE a.incident_id IN (SELECT value FROM json_each(?)) ORDER BY a.id DESC LIMIT 1000;

-- name: breakers
-- Breakers that are not closed.
SELECT s.id, j.name, s.name, b.class, b.state, b.opened_at, b.probe_at
FROM breakers AS b JOIN stages AS s ON s.id = b.stage_id JOIN jobs AS j ON j.id = s.job_id
WHERE b.state <> 'closed';
