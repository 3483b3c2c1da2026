CREATE TABLE service (
  code varchar(255) PRIMARY KEY,
  url varchar(255) NOT NULL
);
CREATE SEQUENCE hibernate_sequence;
