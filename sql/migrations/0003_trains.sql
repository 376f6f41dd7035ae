-- +goose Up

-- A lander that knows no trains would go on with a red candidate, a probe or one that has ended as part of another as if it were its own.
update schema_floor set oldest = 3;

alter table lanes
    add sound     text not null default '' check (sound = '' or is_sha(sound)), -- the newest commit of trunk that was tested as it is
    add estimates jsonb;

alter table entries
    add cleared    boolean     not null default false, -- it was in a red run that was the fault of others
    add alone      boolean     not null default false,
    add after      bigint      not null default 0 check (after >= 0), -- lands after this one; 0: no such wish
    add not_before timestamptz;

-- A candidate with "of" is a probe: a commit that the case of that one tests, and never what lands. One with "via" is the same commit
-- as that one, whose run gave its verdict.
alter table candidates
    add of    bigint not null default 0,
    add trial jsonb,
    add via   bigint not null default 0;
alter table candidates
    add run_of bigint not null generated always as (case via when 0 then id else via end) stored;
alter table candidates
    drop constraint candidates_state_check,
    drop constraint candidates_moves,
    drop constraint candidates_tree_check,
    drop constraint candidates_outcome_of_run,
    add constraint candidates_state_check
        check (state in ('built', 'testing', 'red', 'passed', 'confirmed', 'landing', 'landed', 'joined', 'failed', 'abandoned')),
    add constraint candidates_moves check (is_sha(sha) and (sha <> base or of <> 0)),
    add constraint candidates_tree_check check (is_sha(tree) or (of <> 0 and tree = '')),
    add constraint candidates_red check (state <> 'red' or coalesce(outcome, '') in ('red', 'timed out')),
    add constraint candidates_of check (of >= 0 and of < id and (of <> 0) = (trial is not null)),
    add constraint candidates_probes_only_test check (of = 0 or (via = 0 and below = 0 and state in ('built', 'testing', 'failed', 'abandoned'))),
    add constraint candidates_via check (via >= 0 and via < id),
    add constraint candidates_via_runs_not check (via = 0 or state not in ('built', 'testing', 'red')),
    add constraint candidates_outcome_of_run foreign key (lane_id, run_of, run, outcome)
        references runs (lane_id, candidate, number, outcome) deferrable initially deferred;
drop index candidates_in_flight;
create index candidates_in_flight on candidates (lane_id) where state not in ('landed', 'joined', 'failed', 'abandoned');

-- The search for whose fault a red run is: queue.Case.
create table cases (
    lane_id   bigint      not null,
    candidate bigint      not null,
    body      jsonb       not null check ((body ->> 'id')::bigint = candidate),
    closed_at timestamptz, -- null: open
    primary key (lane_id, candidate),
    foreign key (lane_id, candidate) references candidates
);
create index cases_open on cases (lane_id) where closed_at is null;

-- +goose StatementBegin
create or replace function candidates_same() returns trigger
language plpgsql
as $$
begin
    if (new.base, new.below, new.style, new.at, new.sha, new.tree, new.commits, new.recipe, new.recipe_digest, new.of, new.trial, new.via)
        is distinct from
       (old.base, old.below, old.style, old.at, old.sha, old.tree, old.commits, old.recipe, old.recipe_digest, old.of, old.trial, old.via) then
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

-- The results that a verdict speaks of.
-- +goose StatementBegin
create function results(verdict jsonb) returns table (name text, exit bigint, run bigint)
language sql immutable parallel safe
as $$
    select r ->> 'name', (r ->> 'exit')::bigint, coalesce((r ->> 'run')::bigint, 0)
    from jsonb_array_elements(case jsonb_typeof(verdict -> 'steps') when 'array' then verdict -> 'steps' else '[]' end) r
$$;
-- +goose StatementEnd

-- Why a candidate's verdict does not allow it to land; null: it does. Its run, or for a candidate with via that one's, which has to be
-- the same commit by the same recipe, must be green and show every step of the recipe. A result that is of an earlier run must stand in
-- that one's own verdict.
-- +goose StatementBegin
create function unproven(c candidates) returns text
language plpgsql stable
as $$
declare
    ran candidates := c;
    tested runs;
    step text;
begin
    if c.of <> 0 then
        return 'it is a probe';
    end if;
    if c.via <> 0 then
        select * into ran from candidates v where v.lane_id = c.lane_id and v.id = c.via;
        if not found or ran.of <> 0 or ran.via <> 0 then
            return format('candidate %s has no run that could be its own', c.via);
        end if;
        if (ran.sha, ran.tree, ran.recipe, ran.recipe_digest) is distinct from (c.sha, c.tree, c.recipe, c.recipe_digest) then
            return format('candidate %s is another commit, or was tested in another way', c.via);
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

-- +goose StatementBegin
create function candidates_via_proven() returns trigger
language plpgsql
as $$
declare
    why text := unproven(new);
begin
    if why is not null then
        raise exception 'candidate % is not known to be green: %', new.id, why
            using errcode = 'check_violation', constraint = 'candidates_via_proven';
    end if;
    return null;
end
$$;
-- +goose StatementEnd
create constraint trigger candidates_via_proven after insert on candidates
    deferrable initially deferred
    for each row when (new.via <> 0) execute function candidates_via_proven();

-- The intent, checked once more when everything of its transaction is written.
-- +goose StatementBegin
create or replace function candidates_intent() returns trigger
language plpgsql
as $$
declare
    lane lanes;
    until timestamptz;
    why text;
    bad record;
begin
    if current_setting('transaction_isolation') <> 'serializable' then
        raise exception 'candidate % cannot land: its intent is not saved in a serializable transaction', new.id
            using errcode = 'check_violation', constraint = 'candidates_intent_serializable';
    end if;
    select * into lane from lanes where id = new.lane_id;
    if lane.tip <> new.base then
        raise exception 'candidate % stands on %, and trunk on %', new.id, new.base, lane.tip
            using errcode = 'check_violation', constraint = 'candidates_intent_on_tip';
    end if;
    if lane.ledger_tip = '' or new.intent ->> 'ledger' is distinct from lane.ledger_tip
        or (new.intent ->> 'seq')::bigint is distinct from lane.ledger_seq + 1
        or not coalesce(is_sha(new.intent -> 'record' ->> 'sha'), false) or coalesce(new.intent -> 'record' ->> 'text', '') = '' then
        raise exception 'candidate % cannot land: its record % does not follow % in the ledger', new.id, new.intent -> 'record' ->> 'sha', lane.ledger_tip
            using errcode = 'check_violation', constraint = 'candidates_intent_ledger';
    end if;
    until := nullif((lane.pause ->> 'until')::timestamptz, '0001-01-01T00:00:00Z');
    if lane.stop is not null or (lane.pause is not null and (until is null or new.since is null or new.since < until)) then
        raise exception 'candidate % cannot land: its lane is stopped or paused', new.id
            using errcode = 'check_violation', constraint = 'candidates_intent_moving';
    end if;
    -- What the policy does not say is not allowed.
    if lane.policy is null or coalesce(lane.policy ->> 'problem', '') <> '' or lane.policy ->> 'approvals' is null
        or coalesce(jsonb_typeof(lane.policy -> 'recipe' -> 'steps'), 'null') = 'null' then
        raise exception 'candidate % cannot land: its lane has no policy that allows it', new.id
            using errcode = 'check_violation', constraint = 'candidates_intent_policy';
    end if;
    -- What landed before it may have changed how trunk is tested.
    if new.recipe is distinct from lane.policy -> 'recipe' then
        raise exception 'candidate % cannot land: it was not tested by the recipe of its base', new.id
            using errcode = 'check_violation', constraint = 'candidates_intent_recipe';
    end if;
    why := unproven(new);
    if why is not null then
        raise exception 'candidate % cannot land: %', new.id, why
            using errcode = 'check_violation', constraint = 'candidates_intent_proven';
    end if;
    select * into bad
    from (
        select m.number,
               e.state = 'queued' and not e.gone and e.head = m.head as queued,
               (select count(*) from approvals a where a.lane_id = m.lane_id and a.number = m.number and a.head = m.head) as approvals,
               not (e.draft or e.held or e.unseen or e.held_by <> 0 or jsonb_array_length(e.objections) > 0)
                   and not coalesce(lane.policy -> 'no_labels' ?| e.labels, false)
                   and (e.not_before is null or e.not_before <= new.since)
                   and not exists (
                       select
                       from entries f
                       where f.lane_id = e.lane_id and f.number = e.after and f.state = 'queued' and not f.gone and not exists (
                           select
                           from members p
                           where p.lane_id = m.lane_id and p.candidate = m.candidate and p.number = f.number and p.position < m.position)
                   ) as wanted,
               (select l.tip from landed_heads l where l.lane_id = m.lane_id and l.number = m.number and l.head = m.head) as landed
        from members m
        join entries e on e.lane_id = m.lane_id and e.number = m.number
        where m.lane_id = new.lane_id and m.candidate = new.id
    ) c
    order by c.queued and c.wanted and c.approvals >= (lane.policy ->> 'approvals')::bigint and c.landed is null
    limit 1;
    if not found or not bad.queued then
        raise exception 'candidate % cannot land: #% is no longer queued at the head that was tested', new.id, bad.number
            using errcode = 'check_violation', constraint = 'candidates_intent_members';
    end if;
    if bad.landed is not null then
        raise exception 'candidate % cannot land: #% landed at this head before, as %', new.id, bad.number, bad.landed
            using errcode = 'check_violation', constraint = 'candidates_intent_once';
    end if;
    if bad.approvals < (lane.policy ->> 'approvals')::bigint then
        raise exception 'candidate % cannot land: #% has % approvals of its head and needs %', new.id, bad.number, bad.approvals, lane.policy ->> 'approvals'
            using errcode = 'check_violation', constraint = 'candidates_intent_approved';
    end if;
    if not bad.wanted then
        raise exception 'candidate % cannot land: #% is held back', new.id, bad.number
            using errcode = 'check_violation', constraint = 'candidates_intent_wanted';
    end if;
    return null;
end
$$;
-- +goose StatementEnd
