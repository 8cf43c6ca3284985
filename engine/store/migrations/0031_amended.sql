ALTER TABLE items ADD COLUMN amended TEXT; -- fields of its data that a person has set (JSON; null: taken away); they stay
ALTER TABLE items ADD COLUMN data_given TEXT; -- what its source says beneath them; NULL: data is what its source says
