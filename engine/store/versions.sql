-- name: version_of
-- A version by its hash.
SELECT id FROM versions WHERE stage_id = :stage AND hash = :hash;

-- name: insert_version
-- A version that is seen for the first time; it is the same as itself only.
INSERT INTO versions (stage_id, hash, doubts, made_at) VALUES (:stage, :hash, :doubts, :now) RETURNING id;

-- name: found_class
-- A version begins as a class of its own.
UPDATE versions SET class_id = id WHERE id = ?;

-- name: store_symbol
-- A snapshot of one symbol; the same one is stored once.
INSERT INTO symbols (name, raw, norm, erased, source) VALUES (:name, :raw, :norm, :erased, :source)
ON CONFLICT DO UPDATE SET source = source RETURNING id;

-- name: store_version_symbol
-- One symbol of a version.
INSERT INTO version_symbols (version_id, position, symbol_id, place) VALUES (:version, :position, :symbol, :place);

-- name: set_current
-- The version that new attempts of a stage run.
UPDATE stages SET version_id = :version WHERE id = :stage;

-- name: set_code
-- The code that the discovery or check of a job runs from now on.
UPDATE jobs SET code = :hash WHERE id = :job;

-- name: symbols_of
-- What a version was made of.
SELECT s.name, v.place, s.raw, s.norm, s.erased, s.source
FROM version_symbols AS v JOIN symbols AS s ON s.id = v.symbol_id
WHERE v.version_id = ? ORDER BY v.position;

-- name: version
-- One version.
SELECT stage_id, hash, doubts, made_at, results FROM versions WHERE id = ?;

-- name: stage_versions
-- The versions of a stage of which there are results, and its current one.
SELECT id, hash, doubts FROM versions WHERE stage_id = :stage ORDER BY results DESC, id;

-- name: stale_pairs
-- Versions of which there are results, that are not the same as what the stage runs now; most results first.
SELECT v.stage_id, v.id, s.version_id, v.results
FROM stages AS s
JOIN versions AS v ON v.stage_id = s.id AND v.results > 0
JOIN versions AS c ON c.id = s.version_id
WHERE v.class_id <> c.class_id AND s.removed = 0
ORDER BY v.results DESC, v.id;

-- name: judged
-- The judgement that holds for a pair.
SELECT id, verdict FROM judgements
WHERE stage_id = :stage AND old_id = :old AND new_id = :new AND revoked_at IS NULL ORDER BY id DESC LIMIT 1;

-- name: judge
-- A judgement.
INSERT INTO judgements (stage_id, old_id, new_id, verdict, by, why, confidence, cost_usd_micros, rests_on, at)
VALUES (:stage, :old, :new, :verdict, :by, :why, :confidence, :cost, :rests_on, :now) RETURNING id;

-- name: equivalences
-- Pairs of a stage that count as the same.
SELECT old_id, new_id FROM judgements WHERE stage_id = ? AND revoked_at IS NULL AND verdict <> 'semantic';

-- name: set_class
-- The class of a version.
UPDATE versions SET class_id = :class WHERE id = :id AND class_id IS NOT :class;

-- name: judgement
-- One judgement.
SELECT stage_id, old_id, new_id, verdict, by, revoked_at FROM judgements WHERE id = ?;

-- name: revoke
-- A judgement does not hold any more, and neither does what rests on it.
UPDATE judgements SET revoked_at = :now
WHERE revoked_at IS NULL AND (id = :id OR EXISTS (SELECT 1 FROM json_each(rests_on) WHERE value = :id))
RETURNING stage_id, id;

-- name: restore
-- Revoked judgements hold again; the revocation was undone.
UPDATE judgements SET revoked_at = NULL WHERE id IN (SELECT value FROM json_each(?)) RETURNING stage_id;

-- name: keep_symbol_verdict
-- What was said of one changed symbol, or of several together (their hashes joined by `+`).
INSERT OR IGNORE INTO symbol_verdicts (old_norm, new_norm, judgement_id, verdict)
VALUES (:old, :new, :judgement, :verdict);

-- name: symbol_verdict
-- What a person or a model last said of this very change, anywhere.
SELECT v.verdict, v.judgement_id, j.by, j.why FROM symbol_verdicts AS v JOIN judgements AS j ON j.id = v.judgement_id
WHERE v.old_norm = :old AND v.new_norm = :new AND j.revoked_at IS NULL ORDER BY j.id DESC LIMIT 1;

-- name: made
-- Results of a version came in.
UPDATE versions SET results = results + :n WHERE id = :id;

-- name: replaced
-- Results that are about to be replaced are their version's no more.
UPDATE versions SET results = results - (
    SELECT count(*) FROM results AS r
    WHERE r.stage_id = :stage AND r.item_id IN (SELECT value FROM json_each(:items)) AND r.version_id = versions.id
)
WHERE stage_id = :stage AND results > 0;

-- name: stale_items
-- Items with a result of these versions of a stage, or of no known one where :unknown is set; the newest last.
SELECT i.key FROM results AS r
JOIN items AS i ON i.id = r.item_id
JOIN item_stages AS s ON s.item_id = r.item_id AND s.stage_id = r.stage_id AND s.state = 'done'
WHERE r.stage_id = :stage AND i.state NOT IN ('dropped', 'gone')
    AND (r.version_id IN (SELECT value FROM json_each(:versions)) OR (:unknown AND r.version_id IS NULL))
ORDER BY r.item_id LIMIT :limit;

-- name: unchanged
-- Of these items, those whose output at this stage is what it was before it was made again.
SELECT item_id FROM results
WHERE stage_id = :stage AND item_id IN (SELECT value FROM json_each(:items)) AND changed_at < ended_at;

-- name: still_good
-- Rows that waited for what was made again, and whose own result rests on nothing that became another: they are done.
UPDATE item_stages
SET state = 'done', due_at = NULL, why = NULL
WHERE stage_id = :stage AND item_id IN (SELECT value FROM json_each(:items)) AND +state = 'blocked'
    AND EXISTS (
        SELECT 1 FROM results AS r JOIN versions AS v ON v.id = r.version_id
        WHERE r.item_id = item_stages.item_id AND r.stage_id = :stage
            AND v.class_id = (SELECT class_id FROM versions WHERE id = :current)
            AND r.ended_at >= coalesce(
                (SELECT max(u.changed_at) FROM results AS u
                 WHERE u.item_id = item_stages.item_id AND u.stage_id IN (SELECT value FROM json_each(:ancestors))), 0)
    )
    AND NOT EXISTS (
        SELECT 1 FROM item_stages AS b
        WHERE b.item_id = item_stages.item_id AND b.stage_id IN (SELECT value FROM json_each(:ancestors))
            AND b.state NOT IN ('done', 'skipped')
    )
RETURNING item_id;

-- name: current
-- The version that new attempts of each stage run, as far as it is known.
SELECT id, version_id FROM stages WHERE version_id IS NOT NULL;
