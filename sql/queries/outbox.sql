-- name: SupersedeNotices :exec
update outbox set state = 'superseded' where lane_id = @lane_id and key = any(@keys::text[]) and living and state = 'pending';

-- name: SaveNotice :exec
insert into outbox (lane_id, key, living, notice)
values (@lane_id, @key, @living, @notice)
on conflict (lane_id, key) where not living do nothing;

-- name: Unsent :many
select o.seq, o.notice, o.tries,
       coalesce((select f.remote from outbox f
                 where f.lane_id = o.lane_id and f.key = o.key and f.living and f.remote <> ''
                 order by f.seq desc limit 1), '')::text as remote
from outbox o
where o.lane_id = @lane_id and o.state = 'pending' and (o.not_till is null or o.not_till <= @now)
order by o.living, o.seq
limit @oldest;

-- name: Sent :execrows
update outbox set state = 'sent', sent_at = now(), remote = @remote, problem = '' where seq = @seq;

-- name: SendFailed :exec
update outbox set tries = tries + 1, problem = @problem, not_till = @not_till where seq = @seq and state <> 'sent';

-- name: PruneOutbox :exec
delete from outbox o
where (o.state = 'superseded' and exists (
           select from outbox p where p.lane_id = o.lane_id and p.key = o.key and p.living and p.seq > o.seq and p.state = 'sent'))
   or (o.state = 'sent' and o.sent_at < @before
       and (not o.living or exists (
           select from outbox p where p.lane_id = o.lane_id and p.key = o.key and p.living and p.seq > o.seq and p.remote <> '')));
