-- +goose Up

-- It only adds, and a lander that knows nothing of it runs everything itself.
update schema_floor set oldest = greatest(oldest, 4);

-- River's own tables stand in here; its migrations make them.
create schema river;

-- Who runs tests for others. A worker is alive for as long as it beats.
create table workers (
    name     text        primary key check (length(name) between 1 and 100),
    session  text        not null, -- of the process that has the name
    labels   text[]      not null default '{}',
    slots    integer     not null check (slots between 1 and 1000),
    protocol text        not null, -- whose errands it understands
    version  text        not null default '',
    began    timestamptz not null default clock_timestamp(),
    beat     timestamptz not null default clock_timestamp()
);

-- A test run that is handed out. What a worker writes counts only under the attempt that it took; whoever takes the errand from it
-- raises the attempt.
create table errands (
    id      bigint      generated always as identity primary key,
    repo    text        not null,
    trunk   text        not null,
    run     text        not null check (run <> ''),
    labels  text[]      not null default '{}',
    queue   text        not null, -- River's
    attempt integer     not null default 1 check (attempt >= 1),
    ticket  bigint      not null default 0, -- River's job for this attempt
    worker  text        not null default '', -- who took it; empty: nobody yet
    job     bytea       not null check (length(job) <= 1048576),
    pack    bytea       not null check (length(pack) <= 67108864),
    given   timestamptz not null default clock_timestamp(),
    begun   timestamptz,
    beats   bigint      not null default 0,
    verdict bytea       check (length(verdict) <= 1048576),
    ended   timestamptz,
    constraint errands_taken check ((worker = '') = (begun is null)),
    constraint errands_verdict check (verdict is null or (worker <> '' and ended is not null))
);
create index errands_open on errands (repo, trunk) where ended is null;
create index errands_worker on errands (worker) where ended is null and worker <> '';

-- What a run has written and nobody has read yet.
create table errand_output (
    errand  bigint  not null references errands on delete cascade,
    attempt integer not null,
    seq     bigint  not null check (seq >= 0),
    data    bytea   not null check (length(data) between 1 and 65536),
    primary key (errand, attempt, seq)
);

-- +goose StatementBegin
create function errands_fence() returns trigger
language plpgsql
as $$
begin
    if new.attempt < old.attempt then
        raise exception 'errand % is at attempt %', old.id, old.attempt
            using errcode = 'restrict_violation', constraint = 'errands_attempt_grows';
    end if;
    if old.ended is not null and (new.ended, new.verdict, new.attempt, new.worker) is distinct from (old.ended, old.verdict, old.attempt, old.worker) then
        raise exception 'errand % has ended', old.id
            using errcode = 'restrict_violation', constraint = 'errands_end_once';
    end if;
    if new.attempt = old.attempt and old.worker <> '' and new.worker <> old.worker then
        raise exception 'attempt % of errand % is taken by %', old.attempt, old.id, old.worker
            using errcode = 'restrict_violation', constraint = 'errands_taken_once';
    end if;
    return new;
end
$$;
-- +goose StatementEnd
create trigger errands_fence before update on errands for each row execute function errands_fence();
