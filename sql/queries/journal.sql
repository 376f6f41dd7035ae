-- name: SaveRecord :exec
insert into journal (lane_id, at, number, candidate, kind, text)
values (@lane_id, @at, @number, @candidate, @kind, @text);

-- name: Journal :many
select at, number, candidate, kind, text from journal where lane_id = $1 order by seq desc limit $2;

-- name: JournalOf :many
-- A pull request's own lines, and those of the candidates that it was a member of.
select j.at, j.number, j.candidate, j.kind, j.text
from journal j
where j.lane_id = @lane_id
  and (j.number = @number or (j.number = 0 and j.candidate in (
      select m.candidate from members m where m.lane_id = @lane_id and m.number = @number)))
order by j.seq desc
limit @newest;

-- name: JournalTexts :many
-- The texts of one kind, each once.
select distinct text from journal where lane_id = $1 and kind = $2;

-- name: MissedDeliveries :one
-- How often a poll found what a webhook should have told. It reads so many of the newest lines only that a long history costs little.
with lately as (
    select kind, at from journal where lane_id = @lane_id order by seq desc limit @newest
)
select count(*) from lately where kind = @kind and at >= @since;
