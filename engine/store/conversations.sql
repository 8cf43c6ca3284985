-- name: find
-- One conversation by its name, and whether its stage has come to a result since somebody spoke in it.
SELECT c.id, c.state, c.summary, c.kept_from, c.alias, c.system, c.fence,
    EXISTS (SELECT 1 FROM results AS r WHERE r.item_id = c.item_id AND r.stage_id = :stage AND r.fence >= c.fence)
        OR EXISTS (
            SELECT 1 FROM result_history AS h
            WHERE h.item_id = c.item_id AND h.stage_id = :stage AND h.fence >= c.fence
        )
FROM conversations AS c WHERE c.owner = :owner AND c.name = :name;

-- name: set_aside
-- One of a former life of its stage: it stays to be read, and its name is free again.
UPDATE conversations
SET owner = owner || char(10) || id, state = 'closed', why = coalesce(why, 'its stage was done, and runs again'),
    until = NULL
WHERE id = ?;

-- name: speak
-- The attempt that goes on with it.
UPDATE conversations SET fence = :fence WHERE id = :id;

-- name: begin
-- A conversation begins.
INSERT INTO conversations (owner, name, job_id, item_id, alias, state, system, created_at, updated_at, fence)
VALUES (:owner, :name, :job_id, :item_id, :alias, 'open', :system, :now, :now, :fence) RETURNING id;

-- name: turns
-- What was said, oldest first.
SELECT n, kind, question, question_hash, answer, model, call_id, tokens_in, tokens_out, usd_micros
FROM turns WHERE conversation_id = ? ORDER BY n;

-- name: ask
-- One more turn is about to be sent, in the transaction that reserves its call.
INSERT INTO turns (conversation_id, n, kind, question, question_hash, call_id, at)
VALUES (:id, :n, :kind, :question, :hash, :call, :now)
ON CONFLICT DO UPDATE SET call_id = excluded.call_id, at = excluded.at
    WHERE turns.answer IS NULL AND turns.question_hash = excluded.question_hash;

-- name: answer
-- Its answer has come, in the transaction that settles its call; guarded, so that none is replaced.
UPDATE turns SET answer = :answer, model = :model, tokens_in = :tokens_in, tokens_out = :tokens_out,
    usd_micros = usd_micros + :usd_micros
WHERE conversation_id = :id AND n = :n AND answer IS NULL;

-- name: unsay
-- It was never sent, or the provider refused it: it can be said again.
DELETE FROM turns WHERE conversation_id = :id AND n = :n AND answer IS NULL;

-- name: move
-- How the conversation stands.
UPDATE conversations SET state = :state, why = :why, until = :until, updated_at = :now WHERE id = :id;

-- name: fold
-- Older turns go on as a summary.
UPDATE conversations SET summary = :summary, kept_from = :kept_from, updated_at = :now WHERE id = :id;

-- name: in_doubt
-- Conversations whose request a dead engine has sent.
UPDATE conversations
SET state = 'doubt', until = NULL, updated_at = :now,
    why = 'the engine ended while it waited for an answer; it may have been answered and paid'
WHERE state = 'asking' AND id IN (
    SELECT t.conversation_id FROM turns AS t JOIN model_calls AS c ON c.id = t.call_id
    WHERE t.answer IS NULL AND c.state = 'lost'
);
