-- As a migration 0004 would that no lander of 0003 can live with.
update schema_floor set oldest = 4;
insert into goose_db_version (version_id, is_applied) values (4, true);
