-- Lists of one job in the order in which its items came, page by page.
CREATE INDEX items_job ON items (job_id, id);
