-- The door to the models: the ledger of calls, quotas, aliases, cached answers, conversations and juries.
ALTER TABLE stages ADD COLUMN model TEXT; -- the alias without which the stage is held; '': any; NULL: it needs none

CREATE TABLE models ( -- aliases as configured, with what keeps them from being asked
    name TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    lanes TEXT NOT NULL, -- JSON list of backend/mode
    missing TEXT, -- why it cannot be asked at all
    hold TEXT, -- why it cannot be asked now
    hold_until INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE model_calls ( -- the ledger: each request, from its reservation to its settlement
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    ended_at INTEGER,
    epoch INTEGER NOT NULL,
    job_id INTEGER REFERENCES jobs (id), -- NULL: asked by a person or by the engine itself
    item_id INTEGER,
    stage_id INTEGER,
    alias TEXT NOT NULL,
    backend TEXT NOT NULL,
    mode TEXT NOT NULL,
    purpose TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('reserved', 'settled', 'failed', 'lost', 'unsent')),
    worst_usd_micros INTEGER NOT NULL CHECK (worst_usd_micros >= 0), -- what it may cost
    usd_micros INTEGER NOT NULL DEFAULT 0 CHECK (usd_micros >= 0), -- what was booked
    is_estimate INTEGER NOT NULL DEFAULT 0 CHECK (is_estimate IN (0, 1)), -- the price or the tokens were not told
    tokens_in INTEGER,
    tokens_out INTEGER,
    error TEXT,
    CHECK ((state = 'reserved') = (ended_at IS NULL))
) STRICT;
CREATE INDEX model_calls_open ON model_calls (job_id, worst_usd_micros) WHERE state = 'reserved';
CREATE INDEX model_calls_item ON model_calls (item_id, stage_id) WHERE item_id IS NOT NULL;
CREATE INDEX model_calls_ended ON model_calls (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE model_waits ( -- requests that wait for a backend at this moment
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    urgency INTEGER NOT NULL, -- rank, the lowest first
    job_id INTEGER,
    item_id INTEGER,
    stage_id INTEGER,
    alias TEXT NOT NULL,
    purpose TEXT NOT NULL,
    why TEXT NOT NULL,
    until INTEGER
) STRICT;

CREATE TABLE model_use ( -- what reports read: sums by quarter of an hour
    at INTEGER NOT NULL,
    job_id INTEGER NOT NULL, -- 0: no job
    model TEXT NOT NULL, -- backend/mode
    purpose TEXT NOT NULL,
    calls INTEGER NOT NULL DEFAULT 0,
    cached INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    tokens_in INTEGER NOT NULL DEFAULT 0,
    tokens_out INTEGER NOT NULL DEFAULT 0,
    usd_micros INTEGER NOT NULL DEFAULT 0,
    saved_usd_micros INTEGER NOT NULL DEFAULT 0, -- what cached answers had cost
    ms INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (at, job_id, model, purpose)
) STRICT, WITHOUT ROWID;

CREATE TABLE quotas ( -- one record of truth for each backend, backend/mode and model:ALIAS
    name TEXT PRIMARY KEY,
    per_day INTEGER,
    concurrency INTEGER,
    pace TEXT,
    used INTEGER NOT NULL DEFAULT 0,
    resets_at INTEGER NOT NULL DEFAULT 0, -- from then on nothing is used
    blocked_until INTEGER NOT NULL DEFAULT 0, -- the provider said: not before
    failures INTEGER NOT NULL DEFAULT 0, -- in a row
    broken_until INTEGER NOT NULL DEFAULT 0, -- too many of them: nothing is sent before
    why TEXT,
    removed INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE TABLE model_answers ( -- answers to identical questions
    key BLOB PRIMARY KEY, -- SHA-256 of lanes, messages, schema and limits
    at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    model TEXT NOT NULL,
    text TEXT NOT NULL,
    tokens_in INTEGER NOT NULL,
    tokens_out INTEGER NOT NULL,
    usd_micros INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX model_answers_expire ON model_answers (expires_at);

CREATE TABLE conversations (
    id INTEGER PRIMARY KEY,
    owner TEXT NOT NULL, -- job, item and stage that it belongs to, or a name alone
    name TEXT NOT NULL,
    job_id INTEGER,
    item_id INTEGER,
    alias TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'asking', 'paused', 'waiting', 'doubt', 'closed')),
    why TEXT,
    until INTEGER,
    system TEXT NOT NULL,
    summary TEXT NOT NULL DEFAULT '', -- of the turns before `kept_from`
    kept_from INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (owner, name)
) STRICT;
CREATE INDEX conversations_updated ON conversations (updated_at);

CREATE TABLE turns (
    conversation_id INTEGER NOT NULL REFERENCES conversations (id),
    n INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('turn', 'summary')),
    question TEXT NOT NULL,
    question_hash BLOB NOT NULL,
    answer TEXT, -- NULL: none yet
    model TEXT,
    call_id INTEGER, -- the request, stored before it is sent
    tokens_in INTEGER NOT NULL DEFAULT 0,
    tokens_out INTEGER NOT NULL DEFAULT 0,
    usd_micros INTEGER NOT NULL DEFAULT 0,
    at INTEGER NOT NULL,
    PRIMARY KEY (conversation_id, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE juries (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    job_id INTEGER,
    item_id INTEGER,
    purpose TEXT NOT NULL,
    how TEXT NOT NULL,
    value TEXT, -- JSON; NULL: no consensus
    agreement REAL NOT NULL,
    usd_micros INTEGER NOT NULL
) STRICT;
CREATE INDEX juries_item ON juries (item_id) WHERE item_id IS NOT NULL;

CREATE TABLE ballots (
    jury_id INTEGER NOT NULL REFERENCES juries (id),
    n INTEGER NOT NULL,
    member TEXT NOT NULL,
    model TEXT,
    value TEXT, -- JSON
    text TEXT NOT NULL,
    error TEXT,
    usd_micros INTEGER NOT NULL,
    ms INTEGER NOT NULL,
    PRIMARY KEY (jury_id, n)
) STRICT, WITHOUT ROWID;
