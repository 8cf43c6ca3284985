-- Discoveries and checks have versions too; a run records the one it began with.
ALTER TABLE jobs ADD COLUMN code TEXT; -- hash of the code of its discovery or check; NULL: unknown
