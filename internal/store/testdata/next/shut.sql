-- As a migration 0008 would that no lander of 0007 can live with.
update schema_floor set oldest = 8;
insert into goose_db_version (version_id, is_applied) values (8, true);
