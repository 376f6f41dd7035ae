-- name: Cases :many
select body from cases where lane_id = $1 and closed_at is null order by candidate;

-- name: SaveCase :exec
insert into cases (lane_id, candidate, body) values ($1, $2, $3)
on conflict (lane_id, candidate) do update set body = excluded.body, closed_at = null;

-- name: CloseCase :exec
update cases set closed_at = now() where lane_id = $1 and candidate = $2 and closed_at is null;

-- name: PruneCases :exec
delete from cases where closed_at < @before;
