-- name: TraceChanges :many
-- What the journal says of who asked to land and what became of it, oldest first. Of a drop: whether a run of its candidate was red, and
-- with which other change alone it was, as far as that is still the newest drop of the pull request.
select j.at, j.number, j.kind,
       exists (select 1 from runs r where r.lane_id = j.lane_id and r.candidate = j.candidate and r.outcome in ('red', 'timed out')) as red,
       coalesce((
           select (e.dropped ->> 'with')::bigint from entries e
           where e.lane_id = j.lane_id and e.number = j.number and (e.dropped ->> 'candidate')::bigint = j.candidate
       ), 0)::bigint as alongside
from journal j
where j.lane_id = $1 and j.number > 0 and j.kind in ('queued', 'landed', 'dropped', 'withdrawn', 'head moved', 'closed')
order by j.seq;

-- name: TraceRuns :many
-- How long whole runs took that passed, the newest first.
select extract(epoch from (r.ended_at - r.started_at))::double precision as seconds
from runs r
join candidates c on c.lane_id = r.lane_id and c.id = r.candidate
where r.lane_id = $1 and c.of = 0 and r.number = 1 and r.outcome = 'green' and r.ended_at > r.started_at
order by r.candidate desc
limit $2;
