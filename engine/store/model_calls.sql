-- name: reserve
-- A request is about to be sent: what it may cost counts as spent from here on.
INSERT INTO model_calls (
    at, epoch, job_id, item_id, stage_id, alias, backend, mode, purpose, state, worst_usd_micros
) VALUES (
    :now, :epoch, :job_id, :item_id, :stage_id, :alias, :backend, :mode, :purpose, 'reserved', :worst
) RETURNING id;

-- name: settle
-- A request has ended; guarded by its state, so that nothing is booked twice.
UPDATE model_calls
SET state = :state, ended_at = :now, usd_micros = :usd_micros, is_estimate = :is_estimate, tokens_in = :tokens_in,
    tokens_out = :tokens_out, error = :error
WHERE id = :id AND state = 'reserved';

-- name: open_calls
-- Requests of engines that are gone: what they may have cost counts as spent.
SELECT id, job_id, backend, mode, purpose, worst_usd_micros FROM model_calls
WHERE state = 'reserved' AND epoch < ?;

-- name: use
-- Add one ended call to the sums that reports read.
INSERT INTO model_use (
    at, job_id, model, purpose, calls, cached, failed, tokens_in, tokens_out, usd_micros, saved_usd_micros, ms
) VALUES (
    :at, :job_id, :model, :purpose, :calls, :cached, :failed, :tokens_in, :tokens_out, :usd_micros, :saved, :ms
) ON CONFLICT DO UPDATE SET
    calls = calls + excluded.calls, cached = cached + excluded.cached, failed = failed + excluded.failed,
    tokens_in = tokens_in + excluded.tokens_in, tokens_out = tokens_out + excluded.tokens_out,
    usd_micros = usd_micros + excluded.usd_micros, saved_usd_micros = saved_usd_micros + excluded.saved_usd_micros,
    ms = ms + excluded.ms;

-- name: wait
-- A request waits, and why.
INSERT INTO model_waits (at, urgency, job_id, item_id, stage_id, alias, purpose, why, until)
VALUES (:now, :urgency, :job_id, :item_id, :stage_id, :alias, :purpose, :why, :until) RETURNING id;

-- name: wait_on
-- It waits for something else now.
UPDATE model_waits SET why = :why, until = :until WHERE id = :id;

-- name: waited
-- It waits no more.
DELETE FROM model_waits WHERE id = ?;

-- name: nobody_waits
-- At the start of an engine nobody waits.
DELETE FROM model_waits;

-- name: answer
-- A stored answer that still counts.
SELECT model, text, tokens_in, tokens_out, usd_micros FROM model_answers WHERE key = ? AND expires_at > ?;

-- name: keep_answer
-- Keep an answer for identical questions.
INSERT INTO model_answers (key, at, expires_at, model, text, tokens_in, tokens_out, usd_micros)
VALUES (:key, :now, :expires_at, :model, :text, :tokens_in, :tokens_out, :usd_micros)
ON CONFLICT DO UPDATE SET at = excluded.at, expires_at = excluded.expires_at, model = excluded.model,
    text = excluded.text, tokens_in = excluded.tokens_in, tokens_out = excluded.tokens_out,
    usd_micros = excluded.usd_micros;

-- name: add_jury
-- What a jury came to.
INSERT INTO juries (at, job_id, item_id, purpose, how, value, agreement, usd_micros)
VALUES (:now, :job_id, :item_id, :purpose, :how, :value, :agreement, :usd_micros) RETURNING id;

-- name: add_ballot
-- What one of its members said.
INSERT INTO ballots (jury_id, n, member, model, value, text, error, usd_micros, ms)
VALUES (:jury, :n, :member, :model, :value, :text, :error, :usd_micros, :ms);
