-- As a migration 0006 would that no lander of 0005 can live with.
update schema_floor set oldest = 6;
insert into goose_db_version (version_id, is_applied) values (6, true);
