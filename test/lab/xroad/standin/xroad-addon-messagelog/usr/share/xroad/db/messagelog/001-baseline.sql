CREATE TABLE logrecord (id bigint PRIMARY KEY, message text);
