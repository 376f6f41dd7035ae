-- +goose Up

-- A lander that knows no checks would land without them.
update schema_floor set oldest = 6;

-- What has to be green by a recipe: its steps, and the checks that are run elsewhere.
-- +goose StatementBegin
create function gates(recipe jsonb) returns table (name text, checked boolean)
language sql immutable parallel safe
as $$
    select s ->> 'name', false
    from jsonb_array_elements(case jsonb_typeof(recipe -> 'steps') when 'array' then recipe -> 'steps' else '[]' end) s
    union all
    select k ->> 'name', true
    from jsonb_array_elements(case jsonb_typeof(recipe -> 'checks') when 'array' then recipe -> 'checks' else '[]' end) k
$$;
-- +goose StatementEnd

-- Why the checks of a candidate are not shown green; null: they are, or it has none. They have to be green in a run of the very candidate, and
-- cannot be taken over from another one: they are of a commit, not of a tree.
-- +goose StatementBegin
create function unchecked(c candidates) returns text
language plpgsql stable
as $$
declare
    tested runs;
    missing text;
begin
    if not exists (select from gates(c.recipe) g where g.checked) then
        return null;
    end if;
    select * into tested from runs r
    where r.lane_id = c.lane_id and r.candidate = case c.via when 0 then c.id else c.via end and r.number = c.run;
    if tested.verdict -> 'reused' is not null then
        return format('run %s was taken over, and its checks are of another commit', c.run);
    end if;
    select g.name into missing
    from gates(c.recipe) g
    where g.checked and not exists (select from results(tested.verdict) r where r.name = g.name and r.exit = 0)
    limit 1;
    if found then
        return format('run %s does not show that check %s is green', c.run, missing);
    end if;
    return null;
end
$$;
-- +goose StatementEnd

-- As before; and a recipe may be one of checks alone.
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
        or not exists (select from gates(lane.policy -> 'recipe')) then
        raise exception 'candidate % cannot land: its lane has no policy that allows it', new.id
            using errcode = 'check_violation', constraint = 'candidates_intent_policy';
    end if;
    -- What landed before it may have changed how trunk is tested.
    if new.recipe is distinct from lane.policy -> 'recipe' then
        raise exception 'candidate % cannot land: it was not tested by the recipe of its base', new.id
            using errcode = 'check_violation', constraint = 'candidates_intent_recipe';
    end if;
    why := coalesce(unproven(new), unchecked(new));
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
