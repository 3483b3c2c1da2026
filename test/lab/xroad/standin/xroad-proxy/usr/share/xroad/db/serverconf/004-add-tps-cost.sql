ALTER TABLE service ADD COLUMN tps_cost integer NOT NULL DEFAULT 1;
