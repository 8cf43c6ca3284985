-- A trigger costs an UPDATE a third even where its WHEN is false. Every statement that changes the state of a row also says when
-- the row is due (NULL where it is not), but for the two that run thousands of times a second and count themselves: an attempt
-- that its holder ends well, and a claim of the stage after it (engine/store/counts.py). So these triggers look at `due_at`.
DROP TRIGGER item_stages_moved;
CREATE TRIGGER item_stages_moved AFTER UPDATE OF due_at ON item_stages
WHEN old.state <> new.state AND new.state <> 'running'
BEGIN
    UPDATE stage_counts SET n = n - 1 WHERE stage_id = old.stage_id AND state = old.state;
    INSERT INTO stage_counts VALUES (new.stage_id, new.state, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
DROP TRIGGER item_stages_begun_anew;
CREATE TRIGGER item_stages_begun_anew AFTER UPDATE OF due_at ON item_stages WHEN new.state IN ('blocked', 'skipped') BEGIN
    DELETE FROM checkpoints WHERE item_id = new.item_id AND stage_id = new.stage_id;
END;
