CREATE TABLE ui_user (name varchar(255) PRIMARY KEY);
