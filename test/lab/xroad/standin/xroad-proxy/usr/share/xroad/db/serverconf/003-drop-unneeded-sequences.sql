DROP SEQUENCE hibernate_sequence;
