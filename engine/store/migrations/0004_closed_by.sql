-- Who closed an item: its source may open again what it has closed, never what a person has.
ALTER TABLE items ADD COLUMN closed_by TEXT CHECK (closed_by IN ('source', 'person'));
UPDATE items SET closed_by = CASE closed WHEN 'done' THEN 'source' ELSE 'person' END WHERE closed IS NOT NULL;
