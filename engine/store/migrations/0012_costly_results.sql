-- The filter `cost:>0.10` looks only at results that cost something.
CREATE INDEX results_costly ON results (item_id, cost_usd_micros) WHERE cost_usd_micros > 0;
