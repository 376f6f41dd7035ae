-- As a migration 0003 would that no lander of 0002 can live with.
update schema_floor set oldest = 3;
insert into goose_db_version (version_id, is_applied) values (3, true);
