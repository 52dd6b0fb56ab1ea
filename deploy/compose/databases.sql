-- One database for each service that owns one. Run once, when PostgreSQL's data directory is made.
CREATE DATABASE jisr_forum;
CREATE DATABASE jisr_case;
CREATE DATABASE jisr_notify;
CREATE DATABASE jisr_sync;
CREATE DATABASE jisr_gateway;
