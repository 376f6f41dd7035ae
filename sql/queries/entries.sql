-- name: Entries :many
select number, head, branch, fork, draft, title, body, url, author, labels, state, seen_at, head_since, asked_by, asked_at, priority,
       held, unseen, aside, objections, handled, held_by, dropped, landing, gone,
       head_repo, editable, ours, displaced, cleared, alone, after, not_before, areas, mapped_by
from entries
where lane_id = $1 and not gone
order by number;

-- name: Entry :one
select number, head, branch, fork, draft, title, body, url, author, labels, state, seen_at, head_since, asked_by, asked_at, priority,
       held, unseen, aside, objections, handled, held_by, dropped, landing, gone,
       head_repo, editable, ours, displaced, cleared, alone, after, not_before, areas, mapped_by
from entries
where lane_id = $1 and number = $2;

-- name: Approvals :many
select a.number, a.id, a.person_id, a.login, a.bot, a.at, a.via
from approvals a
join entries e on e.lane_id = a.lane_id and e.number = a.number
where a.lane_id = $1 and not e.gone
order by a.number, a.position;

-- name: ApprovalsOf :many
select number, id, person_id, login, bot, at, via
from approvals
where lane_id = $1 and number = $2
order by position;

-- name: SaveEntry :exec
insert into entries (
    lane_id, number, head, branch, fork, draft, title, body, url, author, labels, state, seen_at, head_since, asked_by, asked_at,
    priority, held, unseen, aside, objections, handled, held_by, dropped, landing, gone,
    head_repo, editable, ours, displaced, cleared, alone, after, not_before, areas, mapped_by
) values (
    @lane_id, @number, @head, @branch, @fork, @draft, @title, @body, @url, @author, @labels, @state, @seen_at, @head_since, @asked_by, @asked_at,
    @priority, @held, @unseen, @aside, @objections, @handled, @held_by, @dropped, @landing, @gone,
    @head_repo, @editable, @ours, @displaced, @cleared, @alone, @after, @not_before, @areas, @mapped_by
)
on conflict (lane_id, number) do update
set head = excluded.head,
    branch = excluded.branch,
    fork = excluded.fork,
    draft = excluded.draft,
    title = excluded.title,
    body = excluded.body,
    url = excluded.url,
    author = excluded.author,
    labels = excluded.labels,
    state = excluded.state,
    seen_at = excluded.seen_at,
    head_since = excluded.head_since,
    asked_by = excluded.asked_by,
    asked_at = excluded.asked_at,
    priority = excluded.priority,
    held = excluded.held,
    unseen = excluded.unseen,
    aside = excluded.aside,
    objections = excluded.objections,
    handled = excluded.handled,
    held_by = excluded.held_by,
    dropped = excluded.dropped,
    landing = excluded.landing,
    gone = excluded.gone,
    head_repo = excluded.head_repo,
    editable = excluded.editable,
    ours = excluded.ours,
    displaced = excluded.displaced,
    cleared = excluded.cleared,
    alone = excluded.alone,
    areas = excluded.areas,
    mapped_by = excluded.mapped_by,
    after = excluded.after,
    not_before = excluded.not_before;

-- name: ClearApprovals :exec
delete from approvals where lane_id = $1 and number = $2;

-- name: SaveApproval :exec
insert into approvals (lane_id, number, head, author_id, position, id, person_id, login, bot, at, via)
values (@lane_id, @number, @head, @author_id, @position, @id, @person_id, @login, @bot, @at, @via);
