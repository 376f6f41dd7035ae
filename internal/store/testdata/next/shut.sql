-- As a migration 0005 would that no lander of 0004 can live with.
update schema_floor set oldest = 5;
insert into goose_db_version (version_id, is_applied) values (5, true);
