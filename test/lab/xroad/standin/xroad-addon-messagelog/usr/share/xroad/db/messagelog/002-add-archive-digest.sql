ALTER TABLE logrecord ADD COLUMN digest varchar(255);
