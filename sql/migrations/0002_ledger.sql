-- +goose Up

-- The oldest schema whose landers may still write here. Every migration sets it: to the one before its own when it only adds what
-- an older lander need not know of, else to its own. A lander says in the setting lander.schema which schema it was made for.
create table schema_floor (
    one    boolean primary key default true check (one),
    oldest bigint  not null check (oldest > 0)
);
-- A lander that knows no ledger would land without one.
insert into schema_floor (oldest) values (2);

alter table lanes
    add ledger_tip    text    not null default '' check (ledger_tip = '' or is_sha(ledger_tip)),
    add ledger_seq    bigint  not null default 0 check (ledger_seq >= 0),
    add ledger_single boolean not null default false,
    add ledger_mend   boolean not null default false,
    add constraint lanes_ledger_begun check ((ledger_tip = '') = (ledger_seq = 0));

alter table entries
    add head_repo text    not null default '',
    add editable  boolean not null default false,
    add ours      text[]  not null default '{}',
    add displaced text    not null default '' check (displaced = '' or is_sha(displaced));

-- The newest intent. What landed before there was a ledger has none, hence not valid.
alter table candidates add intent jsonb;
alter table candidates add constraint candidates_landed_by_intent
    check (state not in ('landing', 'landed') or intent is not null) not valid;
-- The ledger takes one record on top of another: two intents for one place in it would mean that one was given up on a guess.
create unique index candidates_intent_fence on candidates (lane_id, ((intent ->> 'seq')::bigint)) where intent is not null;
drop trigger candidates_intent on candidates;
drop trigger candidates_intent_new on candidates;

-- LND01 means stale, LND02 that this lander is too old.
-- +goose StatementBegin
create or replace function lanes_step() returns trigger
language plpgsql
as $$
declare
    speaks bigint := coalesce(nullif(current_setting('lander.schema', true), '')::bigint, 1);
    floor bigint := (select oldest from schema_floor);
begin
    if speaks < floor then
        raise exception 'this lander was made for schema %, and only those for % and later may write', speaks, floor
            using errcode = 'LND02';
    end if;
    if new.version <> old.version + 1 then
        raise exception 'lane %:% is at version %, not %', old.repo, old.trunk, old.version, new.version - 1
            using errcode = 'LND01';
    end if;
    if new.next_candidate < old.next_candidate then
        raise exception 'lane %:% gave out candidate % already', old.repo, old.trunk, old.next_candidate
            using errcode = 'check_violation', constraint = 'lanes_next_candidate_grows';
    end if;
    if new.ledger_seq < old.ledger_seq or (new.ledger_seq = old.ledger_seq and new.ledger_tip <> old.ledger_tip) then
        raise exception 'lane %:% has % as record % of its ledger', old.repo, old.trunk, old.ledger_tip, old.ledger_seq
            using errcode = 'check_violation', constraint = 'lanes_ledger_grows';
    end if;
    return new;
end
$$;
-- +goose StatementEnd

-- The trunk log: every place where trunk stood, and how it came there.
create table trunk_log (
    lane_id    bigint      not null references lanes,
    seq        bigint      not null check (seq > 0),
    kind       text        not null check (kind in ('adopt', 'land', 'bypass', 'rewind')),
    old        text        not null,
    new        text        not null check (is_sha(new)),
    at         timestamptz,
    candidate  bigint, -- null: lander's, but this database did not know of it; or not lander's
    record     text        not null check (record = '' or is_sha(record)), -- of the ledger
    ledger_seq bigint      not null check (ledger_seq >= 0),
    members    jsonb       not null,
    recalled   boolean     not null,
    primary key (lane_id, seq),
    foreign key (lane_id, candidate) references candidates,
    constraint trunk_log_moves check (old <> new),
    constraint trunk_log_begins check ((old = '') = (seq = 1) and (kind = 'adopt') = (seq = 1)),
    constraint trunk_log_land_recorded check (kind <> 'land' or record <> ''),
    constraint trunk_log_land_whose check ((candidate is not null) = (kind = 'land' and not recalled))
);
create index trunk_log_of_candidate on trunk_log (lane_id, candidate) where candidate is not null;

-- Where trunk stands when this log begins.
insert into trunk_log (lane_id, seq, kind, old, new, at, record, ledger_seq, members, recalled)
select id, 1, 'adopt', '', tip, now(), '', 0, '[]', false from lanes where tip <> '';

-- +goose StatementBegin
create function trunk_log_chain() returns trigger
language plpgsql
as $$
declare
    last trunk_log;
begin
    select * into last from trunk_log where lane_id = new.lane_id order by seq desc limit 1;
    new.seq := coalesce(last.seq, 0) + 1;
    if new.old <> coalesce(last.new, '') then
        raise exception 'trunk cannot have moved from % to %: it stood on %', new.old, new.new, last.new
            using errcode = 'check_violation', constraint = 'trunk_log_chain';
    end if;
    if new.candidate is not null and not exists (
        select 1
        from candidates c
        where c.lane_id = new.lane_id and c.id = new.candidate and c.state = 'landed' and c.base = new.old and c.sha = new.new
          and c.intent -> 'record' ->> 'sha' = new.record and (c.intent ->> 'seq')::bigint = new.ledger_seq
    ) then
        raise exception 'candidate % has not landed from % to % by record %', new.candidate, new.old, new.new, new.record
            using errcode = 'check_violation', constraint = 'trunk_log_landed';
    end if;
    return new;
end
$$;
-- +goose StatementEnd
create trigger trunk_log_chain before insert on trunk_log
    for each row execute function trunk_log_chain();
create trigger trunk_log_stay before update or delete or truncate on trunk_log
    for each statement execute function refuse_change();

-- Trunk stands where its log ends, and neither it nor the ledger moves under an open intent. Checked when all is written.
-- +goose StatementBegin
create function trunk_agrees() returns trigger
language plpgsql
as $$
declare
    lane lanes;
    stands text;
    open candidates;
begin
    if tg_table_name = 'lanes' then
        lane := new;
    else
        select * into lane from lanes where id = new.lane_id;
    end if;
    select t.new into stands from trunk_log t where t.lane_id = lane.id order by t.seq desc limit 1;
    if lane.tip <> coalesce(stands, '') then
        raise exception 'trunk stands on %, and its log ends on %', lane.tip, stands
            using errcode = 'check_violation', constraint = 'trunk_log_complete';
    end if;
    select * into open from candidates c where c.lane_id = lane.id and c.state = 'landing';
    if found and (open.base <> lane.tip or open.intent ->> 'ledger' <> lane.ledger_tip or (open.intent ->> 'seq')::bigint <> lane.ledger_seq + 1) then
        raise exception 'candidate % is landing from % on ledger %, and trunk stands on % and the ledger on %',
            open.id, open.base, open.intent ->> 'ledger', lane.tip, lane.ledger_tip
            using errcode = 'check_violation', constraint = 'candidates_intent_open';
    end if;
    return null;
end
$$;
-- +goose StatementEnd
create constraint trigger trunk_agrees after update on lanes
    deferrable initially deferred
    for each row when ((new.tip, new.ledger_tip, new.ledger_seq) is distinct from (old.tip, old.ledger_tip, old.ledger_seq))
    execute function trunk_agrees();
create constraint trigger trunk_agrees after insert on trunk_log
    deferrable initially deferred
    for each row execute function trunk_agrees();

-- No head of a pull request lands twice.
create table landed_heads (
    id        bigint generated always as identity unique,
    lane_id   bigint      not null references lanes,
    number    bigint      not null check (number > 0),
    head      text        not null check (is_sha(head)),
    candidate bigint, -- null: read from the ledger
    tip       text        not null check (is_sha(tip)),
    commits   jsonb       not null,
    at        timestamptz,
    record    text        not null check (record = '' or is_sha(record)), -- of the ledger; empty: from before there was one
    primary key (lane_id, number, head),
    foreign key (lane_id, candidate, number, head) references members (lane_id, candidate, number, head),
    constraint landed_heads_whose check (candidate is not null or record <> '')
);
create index landed_heads_newest on landed_heads (lane_id, id);
create index landed_heads_of_candidate on landed_heads (lane_id, candidate) where candidate is not null;

insert into landed_heads (lane_id, number, head, candidate, tip, commits, at, record)
select lane_id, number, head, candidate, tip, commits, at, '' from landings order by id
on conflict do nothing;
drop table landings;
drop function landings_landed();

-- +goose StatementBegin
create function landed_heads_logged() returns trigger
language plpgsql
as $$
begin
    if not exists (
        select 1
        from trunk_log t
        where t.lane_id = new.lane_id and t.kind = 'land' and t.new = new.tip and t.record = new.record
          and t.candidate is not distinct from new.candidate
    ) then
        raise exception '#% has not landed as % by record %', new.number, new.tip, new.record
            using errcode = 'check_violation', constraint = 'landed_heads_logged';
    end if;
    return new;
end
$$;
-- +goose StatementEnd
create trigger landed_heads_logged before insert on landed_heads
    for each row execute function landed_heads_logged();
create trigger landed_heads_stay before update or delete or truncate on landed_heads
    for each statement execute function refuse_change();

-- +goose StatementBegin
create or replace function candidates_same() returns trigger
language plpgsql
as $$
begin
    if (new.base, new.below, new.style, new.at, new.sha, new.tree, new.commits, new.recipe, new.recipe_digest)
        is distinct from
       (old.base, old.below, old.style, old.at, old.sha, old.tree, old.commits, old.recipe, old.recipe_digest) then
        raise exception 'candidate % is what was built and cannot become another', old.id
            using errcode = 'restrict_violation', constraint = 'candidates_same';
    end if;
    if old.state in ('landed', 'failed', 'abandoned') and new.state <> old.state then
        raise exception 'candidate % has ended as %', old.id, old.state
            using errcode = 'restrict_violation', constraint = 'candidates_end_once';
    end if;
    if new.run < old.run then
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

-- The intent, checked once more when everything of its transaction is written.
-- +goose StatementBegin
create or replace function candidates_intent() returns trigger
language plpgsql
as $$
declare
    lane lanes;
    until timestamptz;
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
    select * into bad
    from (
        select m.number,
               e.state = 'queued' and not e.gone and e.head = m.head as queued,
               (select count(*) from approvals a where a.lane_id = m.lane_id and a.number = m.number and a.head = m.head) as approvals,
               not (e.draft or e.held or e.unseen or e.held_by <> 0 or jsonb_array_length(e.objections) > 0)
                   and not coalesce(lane.policy -> 'no_labels' ?| e.labels, false) as wanted,
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
create constraint trigger candidates_intent_new after insert on candidates
    deferrable initially deferred
    for each row when (new.state = 'landing') execute function candidates_intent();
create constraint trigger candidates_intent after update on candidates
    deferrable initially deferred
    for each row when (new.state = 'landing' and (old.state <> 'landing' or new.intent is distinct from old.intent))
    execute function candidates_intent();

-- A landing is written whole: the log's line, and every member's head.
-- +goose StatementBegin
create function candidates_landed() returns trigger
language plpgsql
as $$
begin
    if not exists (select 1 from trunk_log t where t.lane_id = new.lane_id and t.candidate = new.id)
        or exists (
            select 1
            from members m
            where m.lane_id = new.lane_id and m.candidate = new.id and not exists (
                select 1
                from landed_heads l
                where l.lane_id = m.lane_id and l.number = m.number and l.head = m.head and l.candidate = m.candidate)
        ) then
        raise exception 'candidate % landed, and neither trunk log nor members say so', new.id
            using errcode = 'check_violation', constraint = 'candidates_landed';
    end if;
    return null;
end
$$;
-- +goose StatementEnd
create constraint trigger candidates_landed_new after insert on candidates
    deferrable initially deferred
    for each row when (new.state = 'landed') execute function candidates_landed();
create constraint trigger candidates_landed after update on candidates
    deferrable initially deferred
    for each row when (new.state = 'landed' and old.state <> 'landed') execute function candidates_landed();

-- Waits for a lane for a while, and not for ever: who waits in one statement keeps Postgres from cleaning up all that time. The error
-- is caught here so that it fills nobody's log.
-- +goose StatementBegin
create function hold_lane(name text) returns boolean
language plpgsql
set lock_timeout = '20s'
as $$
begin
    perform pg_advisory_lock(hashtextextended(name, 0));
    return true;
exception when lock_not_available then
    return false;
end
$$;
-- +goose StatementEnd

-- What an older lander had begun without a record is looked at anew: trunk tells whether it landed. Last, for a table that has changes
-- waiting for their checks cannot be altered.
update candidates set state = 'passed' where state = 'landing';
