-- +goose Up

-- A lander that does not know what a verdict was taken over from would not say so in the ledger.
update schema_floor set oldest = 5;

-- The green runs by which others may be spared: queue.Proofs. That they are so is not believed but looked up, in unproven.
alter table lanes add proofs jsonb;

-- That trunk itself is red: queue.RedTrunk.
alter table lanes add red jsonb;

-- Why a run that was taken over from another does not count; null: it does. The other one must be of the same tree, by the same recipe, in
-- the same environment, itself whole and green, and not older than the recipe allows.
-- +goose StatementBegin
create function unproven_reuse(ran candidates, taken runs) returns text
language plpgsql stable
as $$
declare
    first candidates;
    origin runs;
    named jsonb := taken.verdict -> 'reused';
    long bigint := coalesce((ran.recipe ->> 'reuse')::bigint, 0);
    single boolean;
begin
    select * into first from candidates o where o.lane_id = ran.lane_id and o.id = (named ->> 'candidate')::bigint;
    if not found or first.of <> 0 or first.via <> 0 or first.id >= ran.id then
        return format('candidate %s has no run of its own', named ->> 'candidate');
    end if;
    if first.tree is distinct from ran.tree or first.sha is distinct from named ->> 'commit'
        or (first.recipe, first.recipe_digest) is distinct from (ran.recipe, ran.recipe_digest) then
        return format('candidate %s has another tree, or was tested in another way', first.id);
    end if;
    if (first.apart -> 'rules', first.apart -> 'areas') is distinct from (ran.apart -> 'rules', ran.apart -> 'areas') then
        return format('candidate %s was tested for other areas', first.id);
    end if;
    -- Where there are areas a suite may look at no more than what its changes touch.
    if ran.apart is not null and exists (
        (select m.number, m.head from members m where m.lane_id = ran.lane_id and m.candidate = ran.id)
        except
        (select m.number, m.head from members m where m.lane_id = first.lane_id and m.candidate = first.id)) then
        return format('candidate %s was tested for other changes', first.id);
    end if;
    select * into origin from runs r where r.lane_id = ran.lane_id and r.candidate = first.id and r.number = (named ->> 'run')::bigint;
    if not found or origin.outcome is distinct from 'green' or origin.verdict -> 'reused' is not null or origin.verdict -> 'asked' is not null
        or exists (select from results(origin.verdict) r where r.exit <> 0 or r.run <> 0)
        or jsonb_path_exists(origin.verdict, '$.steps[*] ? (exists (@.skipped))') then
        return format('run %s of candidate %s is not green as a whole', named ->> 'run', first.id);
    end if;
    if coalesce(taken.verdict ->> 'environment', '') = '' or taken.verdict ->> 'environment' is distinct from origin.verdict ->> 'environment' then
        return format('run %s of candidate %s was in another environment', origin.number, first.id);
    end if;
    if taken.verdict -> 'steps' is distinct from origin.verdict -> 'steps' then
        return format('run %s of candidate %s says something else', origin.number, first.id);
    end if;
    -- In nanoseconds, as the recipe has it: 0 is a week, and below it is never.
    if long < 0 or taken.started_at is null or origin.ended_at is null
        or taken.started_at - origin.ended_at > make_interval(secs => case long when 0 then 604800 else long / 1000000000.0 end) then
        return format('run %s of candidate %s was too long ago', origin.number, first.id);
    end if;
    select coalesce(l.policy ->> 'test_each', '') = 'change' or exists (
               select
               from members m
               join entries e on e.lane_id = m.lane_id and e.number = m.number
               where m.lane_id = ran.lane_id and m.candidate = ran.id and e.alone)
    into single
    from lanes l where l.id = ran.lane_id;
    if ran.apart is null and single and (select count(*) from members m where m.lane_id = first.lane_id and m.candidate = first.id) <> 1 then
        return format('candidate %s was tested together with others', first.id);
    end if;
    return null;
end
$$;
-- +goose StatementEnd

-- As before; and a run may have been taken over from another one.
-- +goose StatementBegin
create or replace function unproven(c candidates) returns text
language plpgsql stable
as $$
declare
    ran candidates := c;
    tested runs;
    step text;
    why text;
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
    if tested.verdict -> 'reused' is not null then
        why := unproven_reuse(ran, tested);
        if why is not null then
            return why;
        end if;
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

-- What failed on a commit and passed on the very same one: queue.Flake.
create table flakes (
    lane_id   bigint      not null references lanes,
    candidate bigint      not null check (candidate > 0), -- whose run showed that it passes
    run       bigint      not null check (run > 0),
    step      text        not null,
    test      text        not null, -- empty: the step as a whole
    commit    text        not null check (is_sha(commit)),
    cost      bigint      not null check (cost >= 0), -- in nanoseconds
    at        timestamptz not null,
    primary key (lane_id, candidate, run, step, test)
);
create index flakes_newest on flakes (lane_id, at);
