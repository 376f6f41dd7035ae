-- A login for workers that sees their errands and nothing else of lander. Run it as the owner of lander's database, after
-- "lander migrate" and again after each newer lander has migrated; then give it a password:
--
--   alter role lander_worker login password '…';
--
-- With it a worker can take runs and answer them. It can neither read nor change what is queued, approved or landed.

do $$
begin
    if not exists (select from pg_roles where rolname = 'lander_worker') then
        create role lander_worker;
    end if;
end
$$;
grant usage on schema public, river to lander_worker;
grant select on goose_db_version, schema_floor to lander_worker;
grant select, insert, update, delete on workers to lander_worker;
grant select on errands to lander_worker;
grant update (attempt, ticket, worker, begun, beats, verdict, ended) on errands to lander_worker;
grant select, insert on errand_output to lander_worker;
grant select, insert, update, delete on all tables in schema river to lander_worker;
grant usage on all sequences in schema river to lander_worker;
