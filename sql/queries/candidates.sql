-- name: Candidates :many
-- Those in flight. The verdict is that of the newest run.
select c.id, c.base, c.below, c.of, c.trial, c.via, c.style, c.at, c.sha, c.tree, c.commits, c.recipe, c.state, c.run, c.since, c.not_till, c.reason,
       c.apart, c.ground, c.awaits, c.intent, r.verdict
from candidates c
left join runs r on r.lane_id = c.lane_id and r.candidate = c.run_of and r.number = c.run
where c.lane_id = $1 and c.state not in ('landed', 'joined', 'failed', 'abandoned')
order by c.id;

-- name: Members :many
select m.candidate, m.number, m.head, m.message
from members m
join candidates c on c.lane_id = m.lane_id and c.id = m.candidate
where m.lane_id = $1 and c.state not in ('landed', 'joined', 'failed', 'abandoned')
order by m.candidate, m.position;

-- name: AddCandidate :exec
insert into candidates (
    lane_id, id, base, below, of, trial, via, style, at, sha, tree, commits, recipe, recipe_digest, state, run, since, not_till, outcome, reason, intent, apart, ground, awaits
) values (
    @lane_id, @id, @base, @below, @of, @trial, @via, @style, @at, @sha, @tree, @commits, @recipe, @recipe_digest, @state, @run, @since, @not_till, @outcome, @reason, @intent, @apart, @ground, @awaits
);

-- name: MoveCandidate :exec
-- An intent that is not begun with this very step stays untouched, so that no other lander's spelling of it can change it.
update candidates
set state = @state,
    run = @run,
    since = @since,
    not_till = @not_till,
    outcome = @outcome,
    reason = @reason,
    ground = @ground,
    awaits = @awaits,
    intent = coalesce(sqlc.narg(intent), intent)
where lane_id = @lane_id and id = @id;

-- name: SaveMember :exec
insert into members (lane_id, candidate, position, number, head, message)
values (@lane_id, @candidate, @position, @number, @head, @message);

-- name: SaveRun :exec
insert into runs (lane_id, candidate, number, started_at, ended_at, outcome, verdict)
values (@lane_id, @candidate, @number, @started_at, @ended_at, @outcome, @verdict)
on conflict (lane_id, candidate, number) do update
set ended_at = coalesce(runs.ended_at, excluded.ended_at),
    outcome = excluded.outcome,
    verdict = excluded.verdict;

-- name: EndRuns :exec
-- Earlier runs are over when the next one starts, whether or not anybody saved how they ended.
update runs set ended_at = @ended_at
where lane_id = @lane_id and candidate = @candidate and number < @number and ended_at is null;

-- name: Runs :many
-- Of a member also what the cases of its candidates try out.
select r.candidate, r.number, r.started_at, r.ended_at, r.verdict, c.sha, c.base, c.of, c.trial,
       array(select m.number from members m where m.lane_id = r.lane_id and m.candidate = r.candidate order by m.position)::bigint[] as members
from runs r
join candidates c on c.lane_id = r.lane_id and c.id = r.candidate
where r.lane_id = @lane_id
  and (@candidate::bigint = 0 or r.candidate = @candidate)
  and (@member::bigint = 0 or exists (
      select 1 from members m where m.lane_id = r.lane_id and m.candidate in (r.candidate, c.of) and m.number = @member))
order by r.candidate desc, r.number desc
limit @newest;
