-- Conditions of the filter language (engine/rules/filters.py), one for each kind of term; each is true or false, never
-- null, so that it can be negated. `:v` is the value of the term; engine/store/filters.py numbers it.

-- name: text
(instr(lower(i.key), :v) > 0 OR instr(lower(i.title), :v) > 0)

-- name: ids
i.id IN (SELECT value FROM json_each(:v))

-- name: job
i.job_id IN (SELECT j.id FROM jobs AS j WHERE j.name IN (SELECT value FROM json_each(:v)))

-- name: state
i.state IN (SELECT value FROM json_each(:v))

-- name: ready
i.id IN (SELECT x.item_id FROM item_stages AS x WHERE x.state = 'ready')

-- name: running
i.id IN (SELECT x.item_id FROM item_stages AS x WHERE x.state = 'running')

-- name: later
i.id IN (SELECT x.item_id FROM item_stages AS x WHERE x.state = 'later')

-- name: blocked
EXISTS (SELECT 1 FROM item_stages AS x WHERE x.item_id = i.id AND x.state = 'blocked')

-- name: stage
i.id IN (
    WITH named (id) AS (
        SELECT s.id FROM stages AS s WHERE s.removed = 0 AND s.name IN (SELECT value FROM json_each(:v))
    )
    SELECT x.item_id FROM item_stages AS x WHERE x.state = 'ready' AND x.stage_id IN (SELECT id FROM named)
    UNION ALL
    SELECT x.item_id FROM item_stages AS x WHERE x.state = 'running' AND x.stage_id IN (SELECT id FROM named)
    UNION ALL
    SELECT x.item_id FROM item_stages AS x WHERE x.state = 'failed' AND x.stage_id IN (SELECT id FROM named)
    UNION ALL
    SELECT x.item_id FROM item_stages AS x WHERE x.state = 'waiting' AND x.stage_id IN (SELECT id FROM named)
    UNION ALL
    SELECT x.item_id FROM item_stages AS x WHERE x.state = 'later' AND x.stage_id IN (SELECT id FROM named)
)

-- name: gate
i.state <> 'snoozed' AND i.id IN (
    SELECT x.item_id FROM item_stages AS x JOIN stages AS s ON s.id = x.stage_id
    WHERE x.state = 'waiting' AND s.removed = 0 AND s.gate IN (SELECT value FROM json_each(:v))
)

-- name: gate_any
i.state <> 'snoozed' AND i.id IN (
    SELECT x.item_id FROM item_stages AS x JOIN stages AS s ON s.id = x.stage_id
    WHERE x.state = 'waiting' AND s.removed = 0
)

-- name: ver
EXISTS (
    SELECT 1 FROM results AS r JOIN versions AS v ON v.id = r.version_id
    WHERE r.item_id = i.id AND instr(lower(v.hash), :v) = 1
)

-- name: ver_stale
EXISTS (
    SELECT 1 FROM results AS r
    JOIN stages AS s ON s.id = r.stage_id
    JOIN versions AS v ON v.id = r.version_id
    JOIN versions AS c ON c.id = s.version_id
    WHERE r.item_id = i.id AND v.class_id <> c.class_id AND s.removed = 0
)

-- name: fact
(lower(coalesce(json_extract(i.data, json_extract(:v, '$.path')), '')) IN (SELECT value FROM json_each(:v, '$.any'))
 OR EXISTS (
    SELECT 1 FROM results AS r
    WHERE r.item_id = i.id
        AND lower(coalesce(json_extract(r.output, json_extract(:v, '$.path')), ''))
            IN (SELECT value FROM json_each(:v, '$.any'))
))

-- name: prio_eq
coalesce(i.priority, 9) = coalesce(:v, 9)

-- name: prio_lt
coalesce(i.priority, 9) < :v

-- name: prio_le
coalesce(i.priority, 9) <= :v

-- name: prio_gt
coalesce(i.priority, -1) > :v

-- name: prio_ge
coalesce(i.priority, -1) >= :v

-- name: age_lt
i.created_at > :now - :v

-- name: age_le
i.created_at >= :now - :v

-- name: age_gt
i.created_at < :now - :v

-- name: age_ge
i.created_at <= :now - :v

-- name: cost_gt
i.id IN (
    SELECT r.item_id FROM results AS r WHERE r.cost_usd_micros > 0
    GROUP BY r.item_id HAVING sum(r.cost_usd_micros) > :v
)

-- name: cost_ge
(:v = 0 OR i.id IN (
    SELECT r.item_id FROM results AS r WHERE r.cost_usd_micros > 0
    GROUP BY r.item_id HAVING sum(r.cost_usd_micros) >= :v
))

-- name: err
i.id IN (
    SELECT x.item_id FROM item_stages AS x WHERE x.state = 'failed' AND instr(lower(x.why), :v)
    UNION ALL
    SELECT x.item_id FROM item_stages AS x WHERE x.state = 'later' AND instr(lower(x.why), :v)
)

-- name: file
coalesce(instr(lower(i.path), :v), 0) > 0

-- name: by
i.origin IN (SELECT value FROM json_each(:v))

-- name: source
i.source_id IN (SELECT j.id FROM jobs AS j WHERE j.name IN (SELECT value FROM json_each(:v)))

-- name: of
coalesce(i.parent_id IN (SELECT p.id FROM items AS p WHERE p.key IN (SELECT value FROM json_each(:v))), 0)

-- name: rule
i.state = 'waiting' AND i.accepted_at IS NULL AND coalesce(lower(i.proposed), '') IN (SELECT value FROM json_each(:v))

-- name: rule_any
i.state = 'waiting' AND i.accepted_at IS NULL AND i.proposed IS NOT NULL

-- name: sure
coalesce(i.confidence, 'high') IN (SELECT value FROM json_each(:v))
