-- name: GiveErrand :one
insert into errands (repo, trunk, run, labels, queue, job, pack) values (@repo, @trunk, @run, @labels, @queue, @job, @pack) returning id;

-- name: TicketErrand :exec
update errands set ticket = @ticket where id = @id and attempt = @attempt;

-- name: ClaimErrand :one
update errands set worker = @worker, begun = clock_timestamp()
where id = @id and attempt = @attempt and worker = '' and ended is null
returning repo, trunk, run, job, pack;

-- name: BeatErrands :many
-- Those of the errands that are still this worker's.
update errands e set beats = e.beats + 1
from (select unnest(@ids::bigint[]) as id, unnest(@attempts::integer[]) as attempt) as mine
where e.id = mine.id and e.attempt = mine.attempt and e.worker = @worker and e.ended is null
returning e.id, e.attempt;

-- name: AddOutput :execrows
insert into errand_output (errand, attempt, seq, data)
select e.id, e.attempt, @seq, @data from errands e
where e.id = @id and e.attempt = @attempt and e.worker = @worker and e.ended is null
on conflict do nothing;

-- name: EndErrand :execrows
update errands set verdict = @verdict, ended = clock_timestamp()
where id = @id and attempt = @attempt and worker = @worker and ended is null;

-- name: HeldErrand :one
select exists (select from errands where id = @id and attempt = @attempt and worker = @worker and ended is null)::boolean;

-- name: MoveErrand :one
-- From whoever has it, to whoever takes it next.
update errands set attempt = attempt + 1, worker = '', begun = null, beats = 0
where id = @id and attempt = @attempt and worker = @worker and ended is null
returning attempt, queue, ticket;

-- name: RecallErrand :one
-- Only where nobody has taken it.
update errands set attempt = attempt + 1, ended = clock_timestamp()
where id = @id and worker = '' and ended is null
returning ticket;

-- name: CancelErrand :one
update errands set ended = clock_timestamp() where id = @id and ended is null returning ticket;

-- name: CancelErrandsOf :many
update errands set ended = clock_timestamp() where repo = @repo and trunk = @trunk and ended is null returning ticket;

-- name: LookAtErrand :one
select attempt, worker, beats, ended, verdict from errands where id = $1;

-- name: TakeOutput :many
with taken as (
    delete from errand_output o
    where o.errand = @errand and o.attempt = @attempt and o.seq in (
        select n.seq from errand_output n where n.errand = @errand and n.attempt = @attempt order by n.seq limit 64)
    returning o.seq, o.data
)
select seq, data from taken order by seq;

-- name: DropErrand :exec
delete from errands where id = $1;

-- name: PruneErrands :exec
delete from errands where ended < $1;

-- name: Join :execrows
-- A name belongs to one process, until that has been silent for a while.
insert into workers (name, session, labels, slots, protocol, version) values (@name, @session, @labels, @slots, @protocol, @version)
on conflict (name) do update
set session = excluded.session, labels = excluded.labels, slots = excluded.slots, protocol = excluded.protocol, version = excluded.version,
    began = clock_timestamp(), beat = clock_timestamp()
where workers.session = excluded.session or workers.beat < clock_timestamp() - make_interval(secs => @silence::float8);

-- name: BeatWorker :execrows
update workers set beat = clock_timestamp() where name = @name and session = @session;

-- name: Leave :exec
delete from workers where name = @name and session = @session;

-- name: Workers :many
select w.name, w.labels, w.slots, w.protocol, w.version, w.began, w.beat,
       (w.beat >= clock_timestamp() - make_interval(secs => @silence::float8))::boolean as alive,
       array(select e.repo || ':' || e.trunk || ' ' || e.run from errands e where e.worker = w.name and e.ended is null order by e.id)::text[] as runs
from workers w
order by w.name;

-- name: PruneWorkers :exec
delete from workers where beat < $1;
