-- As a migration 0007 would that no lander of 0006 can live with.
update schema_floor set oldest = 7;
insert into goose_db_version (version_id, is_applied) values (7, true);
