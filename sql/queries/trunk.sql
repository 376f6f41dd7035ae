-- name: SaveMove :exec
-- The line's number is given by the trigger trunk_log_chain.
insert into trunk_log (lane_id, seq, kind, old, new, at, candidate, record, ledger_seq, members, recalled)
values (@lane_id, 1, @kind, @old, @new, @at, nullif(@candidate::bigint, 0), @record, @ledger_seq, @members, @recalled);

-- name: TrunkLog :many
select kind, old, new, at, coalesce(candidate, 0)::bigint as landed_by, record, ledger_seq, members, recalled
from trunk_log
where lane_id = $1
order by seq desc
limit $2;

-- name: SaveLanding :exec
insert into landed_heads (lane_id, number, head, candidate, tip, commits, at, record)
values (@lane_id, @number, @head, @candidate, @tip, @commits, @at, @record);

-- name: RecallLanding :exec
-- What the ledger tells may be known already.
insert into landed_heads (lane_id, number, head, tip, commits, at, record)
values (@lane_id, @number, @head, @tip, @commits, @at, @record)
on conflict (lane_id, number, head) do nothing;

-- name: Past :many
select l.number, l.head, coalesce(l.candidate, 0)::bigint as landed_by, l.tip, l.commits, l.at
from landed_heads l
join entries e on e.lane_id = l.lane_id and e.number = l.number
where l.lane_id = $1 and not e.gone
order by l.number, l.id;

-- name: PastOf :many
select number, head, coalesce(candidate, 0)::bigint as landed_by, tip, commits, at
from landed_heads
where lane_id = $1 and number = $2
order by id;

-- name: Landings :many
select l.number, l.head, coalesce(l.candidate, 0)::bigint as landed_by, l.tip, l.commits, l.at, l.record, coalesce(e.title, '')::text as title
from landed_heads l
left join entries e on e.lane_id = l.lane_id and e.number = l.number
where l.lane_id = $1
order by l.id desc
limit $2;
