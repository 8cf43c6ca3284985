PRAGMA application_id = 1380537939;

PRAGMA user_version = 33;

CREATE TABLE adjustments (
    kind TEXT NOT NULL CHECK (kind = 'slots' OR kind = 'resource' OR kind = 'pace' OR kind = 'resource pace'),
    name TEXT NOT NULL,
    value TEXT NOT NULL, -- a number, or a pace as jobs.yaml writes it
    configured TEXT, -- what jobs.yaml says instead; NULL: nothing, or there is no such limit any more
    at INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE advice (
    stage_id INTEGER PRIMARY KEY REFERENCES stages (id),
    factor REAL NOT NULL CHECK (factor BETWEEN 0.5 AND 2.0),
    why TEXT NOT NULL,
    model TEXT NOT NULL,
    at INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT;

CREATE TABLE attempts ( -- only those that did not end well
    id INTEGER PRIMARY KEY,
    item_id INTEGER NOT NULL,
    stage_id INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    error_type TEXT NOT NULL,
    message TEXT NOT NULL,
    traceback TEXT NOT NULL, judged_at INTEGER,
    FOREIGN KEY (item_id, stage_id) REFERENCES item_stages (item_id, stage_id)
) STRICT;

CREATE INDEX attempts_item ON attempts (item_id, id);

CREATE INDEX attempts_queue ON attempts (id) WHERE judged_at IS NULL;

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

CREATE TABLE breakers ( -- what counts failures and opens; `rate` is the guard of the error rate
    stage_id INTEGER NOT NULL REFERENCES stages (id),
    class TEXT NOT NULL,
    score REAL NOT NULL,
    at INTEGER NOT NULL, -- when the score was that
    state TEXT NOT NULL CHECK (state IN ('closed', 'open', 'probing')),
    opened_at INTEGER,
    probe_at INTEGER, -- when the next canary runs
    tries INTEGER NOT NULL DEFAULT 0,
    canary_id INTEGER, -- the item that runs as canary
    canary_fence INTEGER,
    PRIMARY KEY (stage_id, class),
    CHECK ((state = 'closed') = (opened_at IS NULL)),
    CHECK ((state = 'probing') = (canary_id IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE buckets (
    name TEXT PRIMARY KEY, -- stage:JOB.STAGE, job:JOB or resource:NAME
    tat REAL NOT NULL, -- theoretical arrival time, ms UTC
    next_at INTEGER NOT NULL -- when the next grant was free, as of the last one
) STRICT, WITHOUT ROWID;

CREATE TABLE budgets (
    job_id INTEGER PRIMARY KEY, -- 0: all jobs
    usd_micros INTEGER NOT NULL CHECK (usd_micros > 0),
    timezone TEXT NOT NULL -- where its day begins
) STRICT;

CREATE TABLE bulk_items ( -- items as they were before it changed them
    bulk_id INTEGER NOT NULL REFERENCES bulks (id) ON DELETE CASCADE,
    item_id INTEGER NOT NULL,
    state TEXT NOT NULL,
    revision TEXT,
    closed TEXT,
    closed_by TEXT,
    why TEXT,
    priority INTEGER,
    priority_by TEXT,
    accepted_at INTEGER,
    snoozed_until INTEGER,
    taken_back INTEGER NOT NULL DEFAULT 0 CHECK (taken_back = 0 OR taken_back = 1),
    PRIMARY KEY (bulk_id, item_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE bulk_stages ( -- their open rows as they were
    bulk_id INTEGER NOT NULL REFERENCES bulks (id) ON DELETE CASCADE,
    item_id INTEGER NOT NULL,
    stage_id INTEGER NOT NULL,
    state TEXT NOT NULL,
    due_at INTEGER,
    fence INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    interruptions INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    opened_at INTEGER,
    answer TEXT,
    why TEXT,
    choices TEXT,
    PRIMARY KEY (bulk_id, item_id, stage_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE bulks (
    id INTEGER PRIMARY KEY REFERENCES operations (id) ON DELETE CASCADE,
    total INTEGER NOT NULL,
    looked INTEGER NOT NULL DEFAULT 0, -- so many of them have been looked at; while it is taken back: of those it changed
    changed INTEGER NOT NULL DEFAULT 0,
    restored INTEGER NOT NULL DEFAULT 0,
    below INTEGER, -- while it is taken back: the last item that was looked at; those below it are next
    state TEXT NOT NULL CHECK (state = 'running' OR state = 'done' OR state = 'undoing' OR state = 'undone'),
    why TEXT, -- why some were left alone
    begun_at INTEGER NOT NULL,
    ended_at INTEGER,
    targets TEXT NOT NULL, -- numbers of the items, packed (engine/rules/id_set.py): the set that was shown
    CHECK ((state = 'running' OR state = 'undoing') = (ended_at IS NULL))
) STRICT;

CREATE INDEX bulks_ended ON bulks (ended_at);

CREATE TABLE checkpoints ( -- what a handler saved of an attempt that is not done yet
    item_id INTEGER NOT NULL,
    stage_id INTEGER NOT NULL,
    fence INTEGER NOT NULL, -- of the attempt that saved it
    value TEXT NOT NULL,
    saved_at INTEGER NOT NULL,
    PRIMARY KEY (item_id, stage_id),
    FOREIGN KEY (item_id, stage_id) REFERENCES item_stages (item_id, stage_id)
) STRICT, WITHOUT ROWID;

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
    updated_at INTEGER NOT NULL, fence INTEGER NOT NULL DEFAULT 0,
    UNIQUE (owner, name)
) STRICT;

CREATE INDEX conversations_item ON conversations (item_id) WHERE item_id IS NOT NULL;

CREATE INDEX conversations_updated ON conversations (updated_at);

CREATE TABLE doctor_actions ( -- what the doctor did and would do
    id INTEGER PRIMARY KEY,
    incident_id INTEGER REFERENCES incidents (id),
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    stage_id INTEGER,
    action TEXT NOT NULL,
    tier TEXT NOT NULL CHECK (tier IN ('low', 'medium', 'high')),
    state TEXT NOT NULL CHECK (state IN ('pending', 'done', 'vetoed')),
    text TEXT NOT NULL,
    at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    ended_at INTEGER,
    CHECK ((state = 'pending') = (ended_at IS NULL))
) STRICT;

CREATE INDEX doctor_actions_incident ON doctor_actions (incident_id, id);

CREATE INDEX doctor_actions_pending ON doctor_actions (due_at) WHERE state = 'pending';

CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    level TEXT NOT NULL CHECK (level = 'debug' OR level = 'info' OR level = 'warning' OR level = 'error'),
    actor TEXT NOT NULL CHECK (actor = 'engine' OR actor = 'person' OR actor = 'discovery'),
    job_id INTEGER,
    item_id INTEGER,
    stage_id INTEGER,
    text TEXT, -- NULL where kind, stage and ms say it all
    ms INTEGER, -- how long it took
    data TEXT
) STRICT;

CREATE INDEX events_item ON events (item_id, id) WHERE item_id IS NOT NULL;

CREATE INDEX events_job ON events (job_id, id);

CREATE TABLE holds (
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    gate TEXT NOT NULL,
    why TEXT NOT NULL,
    until INTEGER, -- ms UTC
    PRIMARY KEY (job_id, gate, why)
) STRICT, WITHOUT ROWID;

CREATE TABLE incident_items ( -- who failed with it, and has not passed since
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    item_id INTEGER NOT NULL,
    stage_id INTEGER NOT NULL,
    fence INTEGER NOT NULL, -- of the newest attempt that failed so
    at INTEGER NOT NULL,
    is_canary INTEGER NOT NULL DEFAULT 0 CHECK (is_canary IN (0, 1)),
    PRIMARY KEY (incident_id, item_id, stage_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX incident_items_stage ON incident_items (stage_id, incident_id);

CREATE TABLE incidents ( -- failures of one signature
    id INTEGER PRIMARY KEY,
    signature TEXT NOT NULL UNIQUE,
    label TEXT NOT NULL,
    class TEXT NOT NULL
        CHECK (class IN ('transient', 'throttled', 'systemic', 'code_bug', 'item', 'unknown')),
    confidence TEXT NOT NULL CHECK (confidence IN ('high', 'medium', 'low')),
    judged_by TEXT NOT NULL,
    rule TEXT,
    reason TEXT NOT NULL,
    fix TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'resolved', 'dismissed')),
    count INTEGER NOT NULL,
    reopened INTEGER NOT NULL DEFAULT 0,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    closed_at INTEGER,
    replaying_at INTEGER, -- since when its canaries run; NULL: none do
    evidence TEXT NOT NULL, -- JSON: the newest failure, exactly as the classifier saw it
    CHECK ((state = 'open') = (closed_at IS NULL))
) STRICT;

CREATE INDEX incidents_closed ON incidents (closed_at) WHERE closed_at IS NOT NULL;

CREATE INDEX incidents_open ON incidents (state, last_at);

CREATE INDEX incidents_replaying ON incidents (replaying_at) WHERE replaying_at IS NOT NULL;

CREATE TABLE item_counts (
    job_id INTEGER NOT NULL,
    source_id INTEGER NOT NULL,
    state TEXT NOT NULL,
    n INTEGER NOT NULL CHECK (n >= 0),
    PRIMARY KEY (job_id, source_id, state)
) STRICT, WITHOUT ROWID;

CREATE TABLE item_deps (
    item_id INTEGER NOT NULL REFERENCES items (id),
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    key TEXT NOT NULL, given_by TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (item_id, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX item_deps_key ON item_deps (job_id, key);

CREATE TABLE item_stages (
    item_id INTEGER NOT NULL REFERENCES items (id),
    stage_id INTEGER NOT NULL REFERENCES stages (id),
    state TEXT NOT NULL
        CHECK (state = 'blocked' OR state = 'ready' OR state = 'running' OR state = 'done' OR state = 'skipped' OR state = 'failed' OR state = 'waiting' OR state = 'later'),
    due_at INTEGER, -- ready: rank in the queue; later: when it comes back
    fence INTEGER NOT NULL DEFAULT 0, -- rises at every claim and guards every write
    attempts INTEGER NOT NULL DEFAULT 0, -- used up; postponing and shutdown use none
    interruptions INTEGER NOT NULL DEFAULT 0,
    owner INTEGER, -- epoch of the engine that holds the lease
    lease_until INTEGER,
    started_at INTEGER,
    ended_at INTEGER,
    opened_at INTEGER, -- when a person opened the gate before it
    answer TEXT,
    why TEXT,
    choices TEXT, postponed INTEGER NOT NULL DEFAULT 0, postponed_since INTEGER, alone INTEGER NOT NULL DEFAULT 0 CHECK (alone = 0 OR alone = 1),
    PRIMARY KEY (item_id, stage_id),
    CHECK ((state = 'running') = (lease_until IS NOT NULL)),
    CHECK ((state = 'running') = (owner IS NOT NULL)),
    CHECK ((state IN ('ready', 'later')) = (due_at IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX item_stages_failed ON item_stages (stage_id) WHERE state = 'failed';

CREATE INDEX item_stages_later ON item_stages (stage_id, due_at) WHERE state = 'later';

CREATE INDEX item_stages_later_due ON item_stages (due_at) WHERE state = 'later';

CREATE INDEX item_stages_ready ON item_stages (stage_id, due_at) WHERE state = 'ready';

CREATE INDEX item_stages_running ON item_stages (stage_id) WHERE state = 'running';

CREATE INDEX item_stages_suspects ON item_stages (due_at) WHERE state = 'later' AND interruptions >= 2;

CREATE INDEX item_stages_waiting ON item_stages (stage_id) WHERE state = 'waiting';

CREATE TRIGGER item_stages_begun_anew AFTER UPDATE OF due_at ON item_stages WHEN new.state IN ('blocked', 'skipped') BEGIN
    DELETE FROM checkpoints WHERE item_id = new.item_id AND stage_id = new.stage_id;
END;

CREATE TRIGGER item_stages_deleted AFTER DELETE ON item_stages BEGIN
    UPDATE stage_counts SET n = n - 1 WHERE stage_id = old.stage_id AND state = old.state;
END;

CREATE TRIGGER item_stages_moved AFTER UPDATE OF due_at ON item_stages
WHEN old.state <> new.state AND new.state <> 'running'
BEGIN
    UPDATE stage_counts SET n = n - 1 WHERE stage_id = old.stage_id AND state = old.state;
    INSERT INTO stage_counts VALUES (new.stage_id, new.state, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TABLE items (
    id INTEGER PRIMARY KEY,
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    key TEXT NOT NULL,
    source_id INTEGER NOT NULL REFERENCES jobs (id), -- the job whose discovery or check gave it
    origin TEXT NOT NULL CHECK (origin = 'scan' OR origin = 'check' OR origin = 'manual' OR origin = 'emit'),
    origin_run_id INTEGER REFERENCES runs (id),
    parent_id INTEGER REFERENCES items (id),
    title TEXT NOT NULL,
    data TEXT NOT NULL,
    revision TEXT,
    confidence TEXT CHECK (confidence = 'high' OR confidence = 'medium' OR confidence = 'low'),
    path TEXT,
    line INTEGER,
    headings TEXT NOT NULL,
    state TEXT NOT NULL
        CHECK (state = 'pending' OR state = 'waiting' OR state = 'failed' OR state = 'done' OR state = 'skipped' OR state = 'snoozed' OR state = 'dropped' OR state = 'gone'),
    closed TEXT CHECK (closed IN ('done', 'cancelled')),
    why TEXT,
    priority INTEGER CHECK (priority BETWEEN 0 AND 3),
    priority_by TEXT CHECK (priority_by IN ('source', 'person')),
    accepted_at INTEGER,
    snoozed_until INTEGER,
    missed INTEGER NOT NULL DEFAULT 0, -- complete runs in a row that did not see it
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL, closed_by TEXT CHECK (closed_by IN ('source', 'person')), signals TEXT NOT NULL DEFAULT '{}', given INTEGER CHECK (given BETWEEN 0 AND 3), priority_why TEXT, signalled_at INTEGER, held TEXT, last_completed_at INTEGER, next_due_at INTEGER, last_seen_at INTEGER, titled TEXT, times_seen INTEGER NOT NULL DEFAULT 1, fixed_at INTEGER, fixed_run_id INTEGER, reopened INTEGER NOT NULL DEFAULT 0, amended TEXT, data_given TEXT, ruled_at INTEGER, proposed TEXT 
    CHECK (proposed = 'accept' OR proposed = 'drop' OR proposed = 'snooze' OR proposed GLOB 'P[0-3]'), proposed_why TEXT, proposed_ms INTEGER,
    UNIQUE (job_id, key),
    CHECK ((state = 'snoozed') = (snoozed_until IS NOT NULL)),
    CHECK ((priority IS NULL) = (priority_by IS NULL))
) STRICT;

CREATE INDEX items_held ON items (job_id) WHERE held IS NOT NULL;

CREATE INDEX items_job ON items (job_id, id);

CREATE INDEX items_next_due ON items (next_due_at) WHERE next_due_at IS NOT NULL;

CREATE INDEX items_parent ON items (parent_id) WHERE parent_id IS NOT NULL;

CREATE INDEX items_proposed ON items (job_id) WHERE proposed IS NOT NULL;

CREATE INDEX items_run ON items (origin_run_id) WHERE origin_run_id IS NOT NULL;

CREATE INDEX items_snoozed ON items (snoozed_until) WHERE snoozed_until IS NOT NULL;

CREATE INDEX items_source ON items (source_id, path, line);

CREATE INDEX items_state ON items (job_id, state, id);

CREATE INDEX items_updated ON items (job_id, updated_at);

CREATE TRIGGER items_deleted AFTER DELETE ON items BEGIN
    UPDATE item_counts SET n = n - 1 WHERE job_id = old.job_id AND source_id = old.source_id AND state = old.state;
END;

CREATE TRIGGER items_moved AFTER UPDATE OF state ON items WHEN old.state <> new.state BEGIN
    UPDATE item_counts SET n = n - 1 WHERE job_id = old.job_id AND source_id = old.source_id AND state = old.state;
    INSERT INTO item_counts VALUES (new.job_id, new.source_id, new.state, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER items_moved_for_others AFTER UPDATE OF state ON items
WHEN old.state <> new.state AND (
    EXISTS (SELECT 1 FROM item_deps WHERE job_id = new.job_id AND key = new.key)
    OR EXISTS (SELECT 1 FROM jobs WHERE id = new.job_id AND recur IS NOT NULL)
) BEGIN
    INSERT OR IGNORE INTO moved_items VALUES (new.id);
END;

CREATE TABLE job_hours (
    hour INTEGER NOT NULL, -- its start, ms UTC
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    state TEXT NOT NULL,
    ready INTEGER NOT NULL, -- item stages
    running INTEGER NOT NULL,
    later INTEGER NOT NULL,
    done INTEGER NOT NULL, -- items; for a check, the findings that it gave
    failed INTEGER NOT NULL,
    waiting INTEGER NOT NULL,
    PRIMARY KEY (hour, job_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    position INTEGER NOT NULL,
    title TEXT NOT NULL,
    emoji TEXT NOT NULL,
    internal INTEGER NOT NULL CHECK (internal IN (0, 1)),
    is_check INTEGER NOT NULL CHECK (is_check IN (0, 1)),
    findings_to TEXT,
    detail_columns TEXT NOT NULL,
    every_s REAL CHECK (every_s > 0),
    next_run_at INTEGER,
    state TEXT NOT NULL CHECK (state IN ('active', 'paused', 'broken', 'removed')),
    why TEXT,
    paused_by TEXT,
    paused_at INTEGER, pace TEXT, paused_until INTEGER, cron TEXT, steering TEXT, steer_from INTEGER, recur TEXT, started INTEGER NOT NULL DEFAULT 0 CHECK (started >= 0), paused_guard TEXT, resumed INTEGER NOT NULL DEFAULT 0, code TEXT,
    CHECK ((state = 'paused') = (paused_at IS NOT NULL))
) STRICT;

CREATE INDEX jobs_paused_until ON jobs (paused_until) WHERE paused_until IS NOT NULL;

CREATE TABLE judgements ( -- could the output of a stage differ between two versions of it?
    id INTEGER PRIMARY KEY,
    stage_id INTEGER NOT NULL REFERENCES stages (id),
    old_id INTEGER NOT NULL REFERENCES versions (id),
    new_id INTEGER NOT NULL REFERENCES versions (id),
    verdict TEXT NOT NULL CHECK (verdict IN ('same', 'cosmetic', 'semantic')), -- the first two are equivalences
    by TEXT NOT NULL CHECK (by IN ('rule', 'person', 'cache', 'canary', 'model')),
    why TEXT NOT NULL,
    confidence REAL,
    cost_usd_micros INTEGER NOT NULL DEFAULT 0,
    rests_on TEXT NOT NULL DEFAULT '[]', -- JSON list of judgements: it is revoked with any of them
    at INTEGER NOT NULL,
    revoked_at INTEGER,
    CHECK (old_id <> new_id)
) STRICT;

CREATE INDEX judgements_stage ON judgements (stage_id, old_id, new_id) WHERE revoked_at IS NULL;

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

CREATE TABLE live ( -- progress and newest log lines of attempts, written once a second at most
    item_id INTEGER NOT NULL,
    stage_id INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    done INTEGER,
    total INTEGER,
    text TEXT,
    lines TEXT, -- JSON list of [at, level, text], the newest last
    at INTEGER NOT NULL,
    PRIMARY KEY (item_id, stage_id, fence),
    FOREIGN KEY (item_id, stage_id) REFERENCES item_stages (item_id, stage_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
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

CREATE INDEX model_calls_ended ON model_calls (ended_at) WHERE ended_at IS NOT NULL;

CREATE INDEX model_calls_item ON model_calls (item_id, stage_id) WHERE item_id IS NOT NULL;

CREATE INDEX model_calls_open ON model_calls (job_id, worst_usd_micros) WHERE state = 'reserved';

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

CREATE TABLE models ( -- aliases as configured, with what keeps them from being asked
    name TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    lanes TEXT NOT NULL, -- JSON list of backend/mode
    missing TEXT, -- why it cannot be asked at all
    hold TEXT, -- why it cannot be asked now
    hold_until INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE moved_items (
    item_id INTEGER PRIMARY KEY
) STRICT;

CREATE TABLE operations ( -- the journal: what a person did, and how to take it back
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    name TEXT NOT NULL,
    job_id INTEGER REFERENCES jobs (id),
    args TEXT NOT NULL,
    before TEXT, -- rows as they were; NULL: cannot be undone
    undone_at INTEGER
, redone_as INTEGER) STRICT;

CREATE TABLE outlays (
    item_id INTEGER NOT NULL,
    stage_id INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    epoch INTEGER NOT NULL,
    usd_micros INTEGER NOT NULL CHECK (usd_micros >= 0), -- at most
    at INTEGER NOT NULL,
    PRIMARY KEY (item_id, stage_id, fence)
) STRICT, WITHOUT ROWID;

CREATE TABLE overrides ( -- a person resumed a job that a guard had paused
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    guard TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (job_id, guard)
) STRICT, WITHOUT ROWID;

CREATE TABLE provenance ( -- what led to an item, beside the discovery that gave it first
    item_id INTEGER NOT NULL REFERENCES items (id),
    name TEXT NOT NULL, -- discovery, topic, query, …
    value TEXT NOT NULL,
    first_seen_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    PRIMARY KEY (item_id, name, value)
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

CREATE TABLE resources (
    name TEXT PRIMARY KEY,
    capacity INTEGER NOT NULL CHECK (capacity > 0),
    pace TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE result_history ( -- results that were replaced or dropped: what they were, not what they said
    id INTEGER PRIMARY KEY,
    item_id INTEGER NOT NULL REFERENCES items (id),
    stage_id INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    version TEXT, -- of the code that made it, where it is known
    output_hash BLOB NOT NULL,
    cost_usd_micros INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    replaced_by INTEGER -- fence of the attempt that replaced it; NULL: dropped with what it was made of
) STRICT;

CREATE INDEX result_history_item ON result_history (item_id, id);

CREATE TABLE results (
    item_id INTEGER NOT NULL,
    stage_id INTEGER NOT NULL,
    output TEXT NOT NULL,
    output_hash BLOB NOT NULL, -- SHA-256 of the output as stored; checked when it is read
    artifacts TEXT, -- JSON list of {path, type}; NULL: none
    cost_usd_micros INTEGER NOT NULL DEFAULT 0 CHECK (cost_usd_micros >= 0),
    fence INTEGER NOT NULL, -- of the attempt that made it
    ended_at INTEGER NOT NULL, version_id INTEGER, changed_at INTEGER,
    PRIMARY KEY (item_id, stage_id),
    FOREIGN KEY (item_id, stage_id) REFERENCES item_stages (item_id, stage_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX results_costly ON results (item_id, cost_usd_micros) WHERE cost_usd_micros > 0;

CREATE INDEX results_unversioned ON results (stage_id) WHERE version_id IS NULL;

CREATE TRIGGER results_deleted AFTER DELETE ON results WHEN old.version_id IS NOT NULL BEGIN
    UPDATE versions SET results = results - 1 WHERE id = old.version_id;
END;

CREATE TRIGGER results_dropped BEFORE DELETE ON results BEGIN
    INSERT INTO result_history (item_id, stage_id, fence, output_hash, cost_usd_micros, ended_at)
    VALUES (old.item_id, old.stage_id, old.fence, old.output_hash, old.cost_usd_micros, old.ended_at);
END;

CREATE TRIGGER results_replaced BEFORE UPDATE OF output_hash ON results WHEN old.fence <> new.fence BEGIN
    INSERT INTO result_history (item_id, stage_id, fence, output_hash, cost_usd_micros, ended_at, replaced_by)
    VALUES (old.item_id, old.stage_id, old.fence, old.output_hash, old.cost_usd_micros, old.ended_at, new.fence);
END;

CREATE TABLE rollups (
    hour INTEGER NOT NULL, -- its start, ms UTC
    job_id INTEGER NOT NULL,
    stage_id INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    bucket INTEGER NOT NULL,
    n INTEGER NOT NULL,
    ms INTEGER NOT NULL,
    usd_micros INTEGER NOT NULL,
    PRIMARY KEY (hour, job_id, stage_id, outcome, bucket)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed', 'cut')),
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    found INTEGER NOT NULL DEFAULT 0,
    new INTEGER NOT NULL DEFAULT 0,
    changed INTEGER NOT NULL DEFAULT 0,
    gone INTEGER NOT NULL DEFAULT 0,
    problems INTEGER NOT NULL DEFAULT 0,
    complete INTEGER NOT NULL DEFAULT 0 CHECK (complete IN (0, 1)),
    covered INTEGER NOT NULL DEFAULT 0,
    error TEXT, version TEXT, held_back INTEGER NOT NULL DEFAULT 0, scope TEXT,
    CHECK ((state = 'running') = (ended_at IS NULL)),
    CHECK ((state = 'failed') = (error IS NOT NULL))
) STRICT;

CREATE INDEX runs_job ON runs (job_id, id);

CREATE TABLE slowed ( -- what was asked to go slower: buckets, or stages without one
    name TEXT PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE spent (
    at INTEGER NOT NULL, -- start of a quarter of an hour: every time zone's midnight is one
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    usd_micros INTEGER NOT NULL CHECK (usd_micros >= 0),
    PRIMARY KEY (at, job_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE stage_counts (
    stage_id INTEGER NOT NULL,
    state TEXT NOT NULL,
    n INTEGER NOT NULL CHECK (n >= 0),
    PRIMARY KEY (stage_id, state)
) STRICT, WITHOUT ROWID;

CREATE TABLE stages (
    id INTEGER PRIMARY KEY,
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    handler TEXT NOT NULL,
    after TEXT NOT NULL,
    gate TEXT,
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    removed INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1)),
    concurrency INTEGER NOT NULL CHECK (concurrency > 0),
    max_attempts INTEGER NOT NULL CHECK (max_attempts > 0), pace TEXT, resources TEXT NOT NULL DEFAULT '[]', paused_at INTEGER, paused_by TEXT, paused_why TEXT, paused_until INTEGER, model TEXT, version_id INTEGER REFERENCES versions (id),
    UNIQUE (job_id, name)
) STRICT;

CREATE INDEX stages_paused_until ON stages (paused_until) WHERE paused_until IS NOT NULL;

CREATE TABLE symbol_verdicts ( -- the same question about one changed symbol, answered once for all stages
    old_norm TEXT NOT NULL, -- '': the symbol is new
    new_norm TEXT NOT NULL, -- '': it is gone
    judgement_id INTEGER NOT NULL REFERENCES judgements (id), -- where it was answered; revoked with it
    verdict TEXT NOT NULL CHECK (verdict IN ('cosmetic', 'semantic')),
    PRIMARY KEY (old_norm, new_norm, judgement_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX symbol_verdicts_judgement ON symbol_verdicts (judgement_id);

CREATE TABLE symbols ( -- snapshots of code, each stored once
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    raw TEXT NOT NULL,
    norm TEXT NOT NULL,
    erased TEXT NOT NULL,
    source TEXT NOT NULL,
    UNIQUE (name, raw, norm, erased)
) STRICT;

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

CREATE TABLE verdicts ( -- the cache: what was said of a signature at a stage
    stage_id INTEGER NOT NULL,
    signature TEXT NOT NULL,
    class TEXT NOT NULL
        CHECK (class IN ('transient', 'throttled', 'systemic', 'code_bug', 'item', 'unknown')),
    confidence TEXT NOT NULL,
    judged_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    fix TEXT NOT NULL,
    at INTEGER NOT NULL,
    until INTEGER, -- NULL: for good, a person said so
    PRIMARY KEY (stage_id, signature)
) STRICT, WITHOUT ROWID;

CREATE TABLE version_symbols (
    version_id INTEGER NOT NULL REFERENCES versions (id),
    position INTEGER NOT NULL, -- 0: the stage's function
    symbol_id INTEGER NOT NULL REFERENCES symbols (id),
    place TEXT NOT NULL, -- path:line
    PRIMARY KEY (version_id, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX version_symbols_symbol ON version_symbols (symbol_id);

CREATE TABLE versions ( -- of a stage's code
    id INTEGER PRIMARY KEY,
    stage_id INTEGER NOT NULL REFERENCES stages (id),
    hash TEXT NOT NULL,
    doubts TEXT NOT NULL, -- JSON list: why not all of the code could be seen; empty: it could
    made_at INTEGER NOT NULL, -- when it was first seen
    class_id INTEGER, -- smallest number of the versions that count as the same, this one among them
    results INTEGER NOT NULL DEFAULT 0 CHECK (results >= 0), -- how many results it made are there
    UNIQUE (stage_id, hash)
) STRICT;

CREATE INDEX versions_made ON versions (stage_id, class_id) WHERE results > 0;
