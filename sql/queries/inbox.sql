-- name: Receive :execrows
-- The delivery and what it asks the lanes to look at, or nothing when it was received before.
with fresh as (
    insert into deliveries (id, event, repo, body, digest, received)
    values (@id, @event, @repo, @body, @digest, @received)
    on conflict do nothing
    returning id
), looks as (
    insert into inbox (lane_id, number, trunk, tip, delivery)
    select look.lane_id, look.number, look.trunk, look.tip, fresh.id
    from fresh, (
        select unnest(@lanes::bigint[]) as lane_id, unnest(@numbers::bigint[]) as number,
               unnest(@trunks::boolean[]) as trunk, unnest(@tips::text[]) as tip
    ) as look
)
select 1 from fresh;

-- name: Post :one
insert into inbox (lane_id, number, trunk, event) values ($1, 0, false, $2) returning id;

-- name: Inbox :many
select id, number, trunk, tip, event from inbox where lane_id = $1 and done_at is null order by id;

-- name: ItemDone :one
select (done_at is not null)::boolean from inbox where id = $1;

-- name: FinishItems :exec
update inbox set done_at = now() where lane_id = @lane_id and id = any(@ids::bigint[]) and done_at is null;

-- name: Nudge :exec
select pg_notify(@channel, @payload);

-- name: Deliveries :many
select d.id, d.event, d.repo, d.received, length(d.body)::bigint as bytes,
       (select count(*) from inbox i where i.delivery = d.id and i.done_at is null) as open
from deliveries d
order by d.received desc, d.id
limit $1;

-- name: PruneInbox :exec
delete from inbox where done_at < @before;

-- name: PruneDeliveries :exec
update deliveries d set body = ''
where d.received < @before and d.body <> '' and not exists (select from inbox i where i.delivery = d.id and i.done_at is null);
