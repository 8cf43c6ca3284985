CREATE TABLE checkpoints ( -- what a handler saved of an attempt that is not done yet
    item_id INTEGER NOT NULL,
    stage_id INTEGER NOT NULL,
    fence INTEGER NOT NULL, -- of the attempt that saved it
    value TEXT NOT NULL,
    saved_at INTEGER NOT NULL,
    PRIMARY KEY (item_id, stage_id),
    FOREIGN KEY (item_id, stage_id) REFERENCES item_stages (item_id, stage_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER item_stages_begun_anew AFTER UPDATE OF state ON item_stages WHEN new.state IN ('blocked', 'skipped') BEGIN
    DELETE FROM checkpoints WHERE item_id = new.item_id AND stage_id = new.stage_id;
END;
