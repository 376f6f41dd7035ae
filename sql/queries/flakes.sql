-- name: SaveFlake :exec
insert into flakes (lane_id, candidate, run, step, test, commit, cost, at)
values (@lane_id, @candidate, @run, @step, @test, @commit, @cost, @at)
on conflict (lane_id, candidate, run, step, test) do nothing;

-- name: Flakes :many
-- The worst first: those that cost most, and then those that are seen most. Of the runs that could have shown them those of their step
-- are counted that ran it as a whole.
with seen as (
    select f.step, f.test, count(*) as times, sum(f.cost)::bigint as cost, max(f.at)::timestamptz as last, min(f.at)::timestamptz as first
    from flakes f
    where f.lane_id = @lane_id and f.at >= @since
    group by f.step, f.test
    order by cost desc, times desc, f.step, f.test
    limit @most
), ran as (
    select s ->> 'name' as step, count(*) as runs
    from runs r, jsonb_array_elements(case jsonb_typeof(r.verdict -> 'steps') when 'array' then r.verdict -> 'steps' else '[]' end) s
    where r.lane_id = @lane_id and r.ended_at >= @since and r.verdict -> 'asked' is null and r.verdict -> 'reused' is null
      and coalesce((s ->> 'run')::bigint, 0) = 0
    group by 1
)
select seen.step, seen.test, seen.times, seen.cost, seen.first, seen.last, coalesce(ran.runs, 0)::bigint as runs
from seen
left join ran on ran.step = seen.step
order by seen.cost desc, seen.times desc, seen.step, seen.test;

-- name: PruneFlakes :exec
delete from flakes where at < @before;
