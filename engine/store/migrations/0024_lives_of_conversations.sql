-- A conversation belongs to one life of its stage: who runs the stage again after a result says everything anew.
ALTER TABLE conversations ADD COLUMN fence INTEGER NOT NULL DEFAULT 0; -- of the attempt that spoke last

CREATE INDEX conversations_item ON conversations (item_id) WHERE item_id IS NOT NULL;

-- What is old is found without a walk, and so is what refers to it.
CREATE INDEX incidents_closed ON incidents (closed_at) WHERE closed_at IS NOT NULL;

CREATE INDEX symbol_verdicts_judgement ON symbol_verdicts (judgement_id);

CREATE INDEX version_symbols_symbol ON version_symbols (symbol_id);
