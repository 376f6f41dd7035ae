-- +goose Up

-- A lander that knows no areas would take what was tested apart for a train.
update schema_floor set oldest = 4;

-- Which areas a change touches, by the rules of that digest.
alter table entries
    add areas     text[] not null default '{}',
    add mapped_by text   not null default '',
    add constraint entries_areas check ((mapped_by = '') = (cardinality(areas) = 0));

-- One with "apart" was built on trunk with those ahead only that it shares areas with: queue.Apart. It counts on "ground", where trunk
-- has come to since through landings that have nothing to do with it, or that it stands on; "awaits" are the members of those that it
-- stands on who have yet to land.
alter table candidates
    add apart  jsonb,
    add ground text  not null default '' check (ground = '' or is_sha(ground)),
    add awaits jsonb not null default '[]' check (jsonb_typeof(awaits) = 'array'),
    add constraint candidates_apart check (
        (apart is not null or (ground = '' and awaits = '[]')) and (apart is null or (below = 0 and of = 0)));

-- +goose StatementBegin
create or replace function candidates_same() returns trigger
language plpgsql
as $$
begin
    if (new.base, new.below, new.style, new.at, new.sha, new.tree, new.commits, new.recipe, new.recipe_digest, new.of, new.trial, new.via, new.apart)
        is distinct from
       (old.base, old.below, old.style, old.at, old.sha, old.tree, old.commits, old.recipe, old.recipe_digest, old.of, old.trial, old.via, old.apart) then
        raise exception 'candidate % is what was built and cannot become another', old.id
            using errcode = 'restrict_violation', constraint = 'candidates_same';
    end if;
    if old.state in ('landed', 'joined', 'failed', 'abandoned') and new.state <> old.state then
        raise exception 'candidate % has ended as %', old.id, old.state
            using errcode = 'restrict_violation', constraint = 'candidates_end_once';
    end if;
    if new.run < old.run or (new.run > old.run and (old.via <> 0 or old.state in ('landed', 'joined', 'failed', 'abandoned'))) then
        raise exception 'candidate % is at run %', old.id, old.run
            using errcode = 'restrict_violation', constraint = 'candidates_run_grows';
    end if;
    if new.state = 'landed' and old.state not in ('landing', 'landed') then
        raise exception 'candidate % is %: it cannot have landed', old.id, old.state
            using errcode = 'restrict_violation', constraint = 'candidates_landed_by_intent';
    end if;
    -- Whoever takes an intent over finds it as it was begun. The next one stands further up in the ledger.
    if new.intent is distinct from old.intent or (new.state = 'landing' and old.state <> 'landing') then
        if new.state <> 'landing' or (old.intent is not null and (new.intent ->> 'seq')::bigint <= (old.intent ->> 'seq')::bigint) then
            raise exception 'candidate % has the intent %, which is not given up by another one', old.id, old.intent -> 'record' ->> 'sha'
                using errcode = 'restrict_violation', constraint = 'candidates_intent_kept';
        end if;
    end if;
    return new;
end
$$;
-- +goose StatementEnd

-- As before; and where a lane has areas the verdict of a candidate may be that of a run of another commit with all its members.
-- +goose StatementBegin
create or replace function unproven(c candidates) returns text
language plpgsql stable
as $$
declare
    ran candidates := c;
    tested runs;
    step text;
    rules jsonb;
    alien bigint;
begin
    if c.of <> 0 then
        return 'it is a probe';
    end if;
    if coalesce(jsonb_array_length(c.apart -> 'under'), 0) > 0 then
        return 'its commit has changes of other candidates';
    end if;
    if c.via <> 0 then
        select * into ran from candidates v where v.lane_id = c.lane_id and v.id = c.via;
        if not found or ran.of <> 0 or ran.via <> 0 then
            return format('candidate %s has no run that could be its own', c.via);
        end if;
        if (ran.recipe, ran.recipe_digest) is distinct from (c.recipe, c.recipe_digest)
            or coalesce(c.apart ->> 'tested', c.sha) is distinct from ran.sha or (c.apart ->> 'tested' is null and ran.tree <> c.tree) then
            return format('candidate %s is another commit, or was tested in another way', c.via);
        end if;
        if c.apart ->> 'tested' is not null then
            select l.policy -> 'areas' into rules from lanes l where l.id = c.lane_id;
            if coalesce(jsonb_array_length(rules -> 'areas'), 0) = 0 or (ran.apart ->> 'rules') is distinct from (c.apart ->> 'rules') then
                return format('candidate %s is another commit, and there are no areas by which that were enough', c.via);
            end if;
            select m.number into alien
            from members m
            where m.lane_id = c.lane_id and m.candidate = c.id
              and not exists (
                  select from members r where r.lane_id = c.lane_id and r.candidate = ran.id and r.number = m.number and r.head = m.head)
              and not exists (
                  select
                  from jsonb_array_elements(case jsonb_typeof(ran.apart -> 'under') when 'array' then ran.apart -> 'under' else '[]' end) u
                  where (u ->> 'number')::bigint = m.number and u ->> 'head' = m.head)
            limit 1;
            if found then
                return format('candidate %s was tested without #%s', c.via, alien);
            end if;
        end if;
        if ran.state <> 'joined' or ran.run <> c.run then
            return format('candidate %s is %s, at run %s', c.via, ran.state, ran.run);
        end if;
    end if;
    select * into tested from runs r where r.lane_id = c.lane_id and r.candidate = ran.id and r.number = c.run;
    if not found or tested.outcome is distinct from 'green' then
        return format('run %s of candidate %s is not green', c.run, ran.id);
    end if;
    select s ->> 'name' into step
    from jsonb_array_elements(case jsonb_typeof(c.recipe -> 'steps') when 'array' then c.recipe -> 'steps' else '[]' end) s
    where not exists (select from results(tested.verdict) r where r.name = s ->> 'name' and r.exit = 0)
    limit 1;
    if found then
        return format('run %s of candidate %s does not show that step %s passes', c.run, ran.id, step);
    end if;
    select r.name into step
    from results(tested.verdict) r
    where r.exit <> 0
       or r.run <> 0 and not exists (
           select
           from runs e, results(e.verdict) was
           where e.lane_id = c.lane_id and e.candidate = ran.id and e.number = r.run and e.number < c.run
             and was.name = r.name and was.exit = 0 and was.run = 0)
    limit 1;
    if found then
        return format('what run %s of candidate %s says of step %s is not so', c.run, ran.id, step);
    end if;
    return null;
end
$$;
-- +goose StatementEnd
