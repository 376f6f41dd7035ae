-- name: LaneID :one
select id from lanes where repo = $1 and trunk = $2;

-- name: AddLane :exec
insert into lanes (repo, trunk) values ($1, $2) on conflict (repo, trunk) do nothing;

-- name: Lane :one
select id, version, tip, pause, stop, trouble, next_candidate, policy, ledger_tip, ledger_seq, ledger_single, ledger_mend, sound, estimates, proofs, red
from lanes where repo = $1 and trunk = $2;

-- name: Lanes :many
select repo, trunk from lanes order by repo, trunk;

-- name: SaveLane :exec
-- The first statement of every save: it takes the lane's row, and fails with LND01 when somebody else has saved since.
update lanes
set version = @version,
    tip = @tip,
    pause = @pause,
    stop = @stop,
    trouble = @trouble,
    red = @red,
    next_candidate = @next_candidate,
    ledger_tip = @ledger_tip,
    ledger_seq = @ledger_seq,
    ledger_single = @ledger_single,
    ledger_mend = @ledger_mend,
    sound = @sound,
    estimates = coalesce(sqlc.narg(estimates), estimates),
    proofs = coalesce(sqlc.narg(proofs), proofs),
    policy = coalesce(sqlc.narg(policy), policy)
where id = @lane_id;

-- name: Floor :one
select oldest from schema_floor;
