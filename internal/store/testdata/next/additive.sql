-- As a migration 0008 that only adds would leave a database for the landers of 0007.
alter table lanes add colour text not null default 'green', add mood jsonb;
alter table entries add colour text not null default 'green', add parent bigint;
alter table approvals add weight bigint not null default 1;
alter table candidates add rank bigint not null default 0;
alter table members add colour text not null default 'green';
alter table runs add lost boolean not null default false;
alter table trunk_log add colour text not null default 'green';
alter table landed_heads add colour text not null default 'green';
alter table journal add colour text not null default 'green';
alter table outbox add colour text not null default 'green';
alter table inbox add colour text not null default 'green';
create table shapes (lane_id bigint not null references lanes, corners bigint not null default 3);
update schema_floor set oldest = 6;
insert into goose_db_version (version_id, is_applied) values (8, true);
