-- +goose Up

-- +goose StatementBegin
create function is_sha(text) returns boolean
language sql immutable strict parallel safe
as $$ select $1 ~ '^([0-9a-f]{40}|[0-9a-f]{64})$' $$;
-- +goose StatementEnd

-- +goose StatementBegin
create function refuse_change() returns trigger
language plpgsql
as $$
begin
    raise exception '% is append-only: % refused', tg_table_name, lower(tg_op)
        using errcode = 'restrict_violation';
end
$$;
-- +goose StatementEnd

-- A lane's queue. Every update is one save of the whole state.
create table lanes (
    id             bigint generated always as identity primary key,
    repo           text   not null check (repo <> ''),
    trunk          text   not null check (trunk <> ''),
    version        bigint not null default 0 check (version >= 0),
    tip            text   not null default '' check (tip = '' or is_sha(tip)),
    pause          jsonb,
    stop           jsonb,
    trouble        jsonb,
    next_candidate bigint not null default 0 check (next_candidate >= 0), -- the newest id given out
    policy         jsonb, -- as last read from trunk
    unique (repo, trunk)
);

-- Comparing and swapping happens here and not in a where clause: an error rolls back the statements that were sent along
-- behind it, a row that was not found would not. LND01 means stale.
-- +goose StatementBegin
create function lanes_step() returns trigger
language plpgsql
as $$
begin
    if new.version <> old.version + 1 then
        raise exception 'lane %:% is at version %, not %', old.repo, old.trunk, old.version, new.version - 1
            using errcode = 'LND01';
    end if;
    if new.next_candidate < old.next_candidate then
        raise exception 'lane %:% gave out candidate % already', old.repo, old.trunk, old.next_candidate
            using errcode = 'check_violation', constraint = 'lanes_next_candidate_grows';
    end if;
    return new;
end
$$;
-- +goose StatementEnd
create trigger lanes_step before update on lanes
    for each row execute function lanes_step();

-- Pull requests, each at one head. Closed ones stay as history with gone set.
create table entries (
    lane_id    bigint      not null references lanes,
    number     bigint      not null check (number > 0),
    head       text        not null check (is_sha(head)),
    branch     text        not null,
    fork       boolean     not null,
    draft      boolean     not null,
    title      text        not null,
    body       text        not null,
    url        text        not null,
    author     jsonb       not null,
    author_id  bigint      not null generated always as ((author ->> 'id')::bigint) stored,
    labels     text[]      not null,
    state      text        not null check (state in ('idle', 'queued', 'landed', 'dropped')),
    seen_at    timestamptz,
    head_since timestamptz,
    asked_by   jsonb       not null,
    asked_at   timestamptz,
    priority   bigint      not null,
    held       boolean     not null,
    unseen     boolean     not null,
    aside      jsonb,
    objections jsonb       not null,
    handled    text[]      not null,
    held_by    bigint      not null check (held_by >= 0),
    dropped    jsonb       constraint entries_dropped_why check (dropped is not null or state <> 'dropped'),
    landing    jsonb       constraint entries_landed_how check (landing is not null or state <> 'landed'),
    gone       boolean     not null,
    primary key (lane_id, number),
    unique (lane_id, number, head, author_id)
);
create index entries_known on entries (lane_id) where not gone;

-- The foreign key binds an approval to the head and the author that the entry has now: a head that moves has to leave its
-- approvals behind.
create table approvals (
    lane_id   bigint      not null,
    number    bigint      not null,
    head      text        not null,
    author_id bigint      not null,
    position  bigint      not null check (position > 0),
    id        text        not null,
    person_id bigint      not null,
    login     text        not null,
    bot       boolean     not null check (not bot),
    at        timestamptz,
    via       text        not null check (via in ('review', 'command')),
    primary key (lane_id, number, person_id),
    foreign key (lane_id, number, head, author_id) references entries (lane_id, number, head, author_id),
    constraint approvals_not_by_author check (person_id <> author_id)
);

create table candidates (
    lane_id       bigint      not null references lanes,
    id            bigint      not null check (id > 0),
    base          text        not null check (is_sha(base)),
    below         bigint      not null constraint candidates_above check (below >= 0 and below < id),
    style         text        not null check (style in ('', 'rebase', 'squash', 'merge')),
    at            timestamptz,
    sha           text        not null constraint candidates_moves check (is_sha(sha) and sha <> base),
    tree          text        not null check (is_sha(tree)),
    commits       jsonb       not null,
    recipe        jsonb       not null,
    recipe_digest text        not null,
    state         text        not null check (state in ('built', 'testing', 'passed', 'confirmed', 'landing', 'landed', 'failed', 'abandoned')),
    run           bigint      not null check (run >= 0), -- the newest one
    since         timestamptz,
    not_till      timestamptz,
    outcome       text, -- of the newest run's verdict
    reason        text        not null,
    primary key (lane_id, id),
    constraint candidates_pass_green check (state not in ('passed', 'confirmed', 'landing', 'landed') or coalesce(outcome, '') = 'green')
);
create unique index candidates_one_intent on candidates (lane_id) where state = 'landing';
create index candidates_in_flight on candidates (lane_id) where state not in ('landed', 'failed', 'abandoned');

-- +goose StatementBegin
create function candidates_same() returns trigger
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
    return new;
end
$$;
-- +goose StatementEnd
create trigger candidates_same before update on candidates
    for each row execute function candidates_same();
create trigger candidates_stay before delete on candidates
    for each statement execute function refuse_change();

create table members (
    lane_id   bigint not null,
    candidate bigint not null,
    position  bigint not null check (position > 0),
    number    bigint not null,
    head      text   not null check (is_sha(head)),
    message   text   not null,
    primary key (lane_id, candidate, number),
    unique (lane_id, candidate, position),
    unique (lane_id, candidate, number, head),
    foreign key (lane_id, candidate) references candidates,
    foreign key (lane_id, number) references entries
);
create index members_of_entry on members (lane_id, number);
create trigger members_stay before update or delete on members
    for each statement execute function refuse_change();

create table runs (
    lane_id    bigint      not null,
    candidate  bigint      not null,
    number     bigint      not null check (number > 0),
    started_at timestamptz,
    ended_at   timestamptz, -- null: under way
    outcome    text        check (outcome in ('', 'green', 'red', 'timed out', 'infra', 'cancelled')),
    verdict    jsonb, -- null: under way, or lost
    primary key (lane_id, candidate, number),
    unique (lane_id, candidate, number, outcome),
    foreign key (lane_id, candidate) references candidates,
    constraint runs_outcome_with_verdict check ((outcome is null) = (verdict is null)),
    constraint runs_outcome_of_verdict check (verdict is null or coalesce(verdict ->> 'outcome', '') = outcome)
);

-- +goose StatementBegin
create function runs_verdict_once() returns trigger
language plpgsql
as $$
begin
    if old.verdict is not null and (new.verdict, new.outcome) is distinct from (old.verdict, old.outcome) then
        raise exception 'run %/% has its verdict', old.candidate, old.number
            using errcode = 'restrict_violation', constraint = 'runs_verdict_once';
    end if;
    return new;
end
$$;
-- +goose StatementEnd
create trigger runs_verdict_once before update on runs
    for each row execute function runs_verdict_once();
create trigger runs_stay before delete on runs
    for each statement execute function refuse_change();

-- A candidate's outcome is that of its own newest run. Deferred, because the run's row comes after the candidate's.
alter table candidates add constraint candidates_outcome_of_run
    foreign key (lane_id, id, run, outcome) references runs (lane_id, candidate, number, outcome)
    deferrable initially deferred;

-- The intent, checked when everything of its transaction is written: the base is trunk's tip, the lane is neither stopped nor
-- paused, and every member is still queued at the head that was tested. That the verdict is green is candidates_pass_green.
-- +goose StatementBegin
create function candidates_intent() returns trigger
language plpgsql
as $$
declare
    lane lanes;
    until timestamptz;
begin
    select * into lane from lanes where id = new.lane_id;
    if lane.tip <> new.base then
        raise exception 'candidate % stands on %, and trunk on %', new.id, new.base, lane.tip
            using errcode = 'check_violation', constraint = 'candidates_intent_on_tip';
    end if;
    until := nullif((lane.pause ->> 'until')::timestamptz, '0001-01-01T00:00:00Z');
    if lane.stop is not null or (lane.pause is not null and (until is null or new.since < until)) then
        raise exception 'candidate % cannot land: its lane is stopped or paused', new.id
            using errcode = 'check_violation', constraint = 'candidates_intent_moving';
    end if;
    if not exists (select 1 from members m where m.lane_id = new.lane_id and m.candidate = new.id)
        or exists (
            select 1
            from members m
            join entries e on e.lane_id = m.lane_id and e.number = m.number
            where m.lane_id = new.lane_id and m.candidate = new.id
              and (e.state <> 'queued' or e.gone or e.head <> m.head)
        ) then
        raise exception 'candidate % cannot land: a member is no longer what was tested', new.id
            using errcode = 'check_violation', constraint = 'candidates_intent_members';
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
    for each row when (new.state = 'landing' and old.state <> 'landing') execute function candidates_intent();

-- The trunk log: what lander landed.
create table landings (
    id        bigint generated always as identity primary key,
    lane_id   bigint      not null,
    candidate bigint      not null,
    number    bigint      not null,
    head      text        not null,
    tip       text        not null,
    commits   jsonb       not null,
    at        timestamptz,
    constraint landings_once unique (lane_id, candidate, number),
    foreign key (lane_id, candidate, number, head) references members (lane_id, candidate, number, head)
);
create index landings_newest on landings (lane_id, id);

-- +goose StatementBegin
create function landings_landed() returns trigger
language plpgsql
as $$
begin
    if not exists (
        select 1
        from candidates c
        where c.lane_id = new.lane_id and c.id = new.candidate and c.state = 'landed' and c.sha = new.tip
    ) then
        raise exception 'candidate % has not landed as %', new.candidate, new.tip
            using errcode = 'check_violation', constraint = 'landings_landed';
    end if;
    return new;
end
$$;
-- +goose StatementEnd
create trigger landings_landed before insert on landings
    for each row execute function landings_landed();
create trigger landings_stay before update or delete on landings
    for each statement execute function refuse_change();

create table journal (
    seq       bigint generated always as identity primary key,
    lane_id   bigint      not null references lanes,
    at        timestamptz,
    number    bigint      not null, -- 0: about no single pull request
    candidate bigint      not null, -- 0: about no candidate
    kind      text        not null check (kind <> ''),
    text      text        not null
);
create index journal_newest on journal (lane_id, seq);
create index journal_of_entry on journal (lane_id, number, seq);
create trigger journal_stay before update or delete or truncate on journal
    for each statement execute function refuse_change();

-- What people are still to be told. A living notice is superseded by the next one with its key; the row stays, because its
-- sender may be posting it just now and will come back with the forge's id.
create table outbox (
    seq      bigint generated always as identity primary key,
    lane_id  bigint      not null references lanes,
    key      text        not null check (key <> ''),
    living   boolean     not null,
    notice   jsonb       not null,
    state    text        not null default 'pending' check (state in ('pending', 'superseded', 'sent')),
    remote   text        not null default '', -- the forge's id of what was posted
    tries    bigint      not null default 0 check (tries >= 0),
    not_till timestamptz,
    problem  text        not null default '', -- why the last try failed
    sent_at  timestamptz,
    constraint outbox_superseded check (state <> 'superseded' or living),
    constraint outbox_sent check ((state = 'sent') = (sent_at is not null))
);
create unique index outbox_once on outbox (lane_id, key) where not living;
create unique index outbox_one_living on outbox (lane_id, key) where living and state = 'pending';
create index outbox_pending on outbox (lane_id, seq) where state = 'pending';
create index outbox_remote on outbox (lane_id, key, seq) where living and remote <> '';

-- Webhooks as received. The id is not covered by the forge's signature, so a replay is also known by its body.
create table deliveries (
    id       text        primary key check (id <> ''),
    event    text        not null,
    repo     text        not null,
    body     bytea       not null,
    digest   bytea       unique check (length(digest) = 32), -- sha256 of body; null: it has none
    received timestamptz not null
);
create index deliveries_newest on deliveries (received);

-- What a lane's keeper is to look at or to apply.
create table inbox (
    id       bigint generated always as identity primary key,
    lane_id  bigint      not null references lanes,
    number   bigint      not null check (number >= 0), -- look at this pull request
    trunk    boolean     not null, -- look at trunk
    tip      text        not null default '' check (tip = '' or (trunk and is_sha(tip))), -- where the hint says trunk stands
    event    jsonb, -- an order
    delivery text        references deliveries,
    done_at  timestamptz,
    constraint inbox_one_thing check (num_nonnulls(event, nullif(number, 0), nullif(trunk, false)) = 1)
);
create index inbox_open on inbox (lane_id, id) where done_at is null;
create index inbox_of_delivery on inbox (delivery);
