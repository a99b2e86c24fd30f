"""What is asked of the lanes, in SQL."""

from __future__ import annotations

from typing import Final

# $1: rows, in the order in which they are to leave. Under a key, one that waits takes the new
# facts: it stays locked until we commit, so that nobody shows the state of before and takes our
# news along with it.
SAY: Final = """
INSERT INTO outbox AS o
    (merchant_id, id, chat_id, rank, topic, facts, dedupe_key, due_at, created_at)
SELECT merchant_id, id, chat_id, rank, topic, facts, dedupe_key, due_at, created_at
FROM jsonb_to_recordset($1) AS row
    (merchant_id uuid, id uuid, chat_id bigint, rank smallint, topic text, facts jsonb,
     dedupe_key text, due_at timestamptz, created_at timestamptz)
ON CONFLICT (merchant_id, dedupe_key)
    WHERE state = 'waiting' AND held_by IS NULL AND dedupe_key IS NOT NULL
DO UPDATE SET due_at = least(o.due_at, excluded.due_at), facts = excluded.facts,
    rank = least(o.rank, excluded.rank)
"""
# $1: now, $2: the end of the lease, $3: the turn, $4: how many, $5: the chat to go on after,
# $6: how old an edit is that goes as if it were said, $7: how long none may have gone so before.
# `ring`: the chats for which something waits, one probe of the index for each, and as many as are
# needed: each is looked at by itself (LATERAL), until there are enough.
# `turn`: what a dead worker had taken, an answer, an old edit, what is said, a card, a live bill,
# one of very many.
# An answer and what is said wait for what was put in before them, but for what was put in for
# later: that is nobody's answer yet. A row for now is due when it is put in, by the same clock.
# `next` is found once, and each of it is then looked for by its key: joined, all of it was found
# again for every message that waits.
TAKE: Final = """
WITH RECURSIVE ahead AS (
    SELECT min(chat_id) AS chat_id FROM outbox
    WHERE state = 'waiting' AND chat_id > $5::bigint
  UNION ALL
    SELECT (SELECT min(o.chat_id) FROM outbox o
            WHERE o.state = 'waiting' AND o.chat_id > a.chat_id)
    FROM ahead a WHERE a.chat_id IS NOT NULL
), behind AS (
    SELECT min(chat_id) AS chat_id FROM outbox WHERE state = 'waiting'
  UNION ALL
    SELECT (SELECT min(o.chat_id) FROM outbox o
            WHERE o.state = 'waiting' AND o.chat_id > b.chat_id)
    FROM behind b WHERE b.chat_id <= $5
), ring AS (
    SELECT chat_id FROM ahead WHERE chat_id IS NOT NULL
  UNION ALL
    SELECT chat_id FROM behind WHERE chat_id <= $5
), next AS MATERIALIZED (
    SELECT n.merchant_id, n.id, n.lifted
    FROM ring r
    LEFT JOIN LATERAL (SELECT * FROM chat_lane WHERE chat_id = r.chat_id LIMIT 1) l ON true
    CROSS JOIN LATERAL (
        SELECT w.* FROM (
            (SELECT merchant_id, id, 0 AS turn, false AS lifted, true AS due
             FROM outbox WHERE chat_id = r.chat_id AND held_by IS NOT NULL LIMIT 1)
          UNION ALL
            (SELECT merchant_id, id, 1, false, greatest(due_at, wait_until) <= $1
             FROM outbox WHERE chat_id = r.chat_id AND state = 'waiting' AND rank = 0
               AND (due_at <= $1 OR due_at <= created_at)
             ORDER BY place LIMIT 1)
          UNION ALL
            (SELECT merchant_id, id, 2, true, true
             FROM outbox WHERE chat_id = r.chat_id AND state = 'waiting' AND rank IN (2, 3)
               AND due_at <= $1 - $6::interval AND greatest(due_at, wait_until) <= $1
               AND (l.lifted_at IS NULL OR l.lifted_at <= $1 - $7::interval)
             ORDER BY rank, place LIMIT 1)
          UNION ALL
            (SELECT merchant_id, id, 3, false, greatest(due_at, wait_until) <= $1
             FROM outbox WHERE chat_id = r.chat_id AND state = 'waiting' AND rank = 1
               AND (due_at <= $1 OR due_at <= created_at)
             ORDER BY place LIMIT 1)
          UNION ALL
            (SELECT merchant_id, id, 4, false, true
             FROM outbox WHERE chat_id = r.chat_id AND state = 'waiting' AND rank = 2
               AND greatest(due_at, wait_until) <= $1
             ORDER BY place LIMIT 1)
          UNION ALL
            (SELECT merchant_id, id, 5, false, true
             FROM outbox WHERE chat_id = r.chat_id AND state = 'waiting' AND rank = 3
               AND greatest(due_at, wait_until) <= $1
             ORDER BY place LIMIT 1)
          UNION ALL
            (SELECT merchant_id, id, 6, false, true
             FROM outbox WHERE chat_id = r.chat_id AND state = 'waiting' AND rank = 4
               AND greatest(due_at, wait_until) <= $1
             ORDER BY place LIMIT 1)
        ) w ORDER BY w.turn LIMIT 1
    ) n
    WHERE n.due AND (l.lease_until IS NULL OR l.lease_until <= $1)
      AND (l.closed_until IS NULL OR l.closed_until <= $1)
    LIMIT $4
), due AS (
    SELECT o.merchant_id, o.id, o.chat_id, n.lifted
    FROM next n CROSS JOIN LATERAL (
        SELECT * FROM outbox WHERE merchant_id = n.merchant_id AND id = n.id LIMIT 1
        FOR UPDATE SKIP LOCKED
    ) o
    WHERE o.state = 'waiting'
      AND (o.held_by IS NOT NULL OR greatest(o.due_at, o.wait_until) <= $1)
), lane AS (
    INSERT INTO chat_lane AS l (chat_id, held_by, lease_until, lifted_at)
    SELECT chat_id, $3, $2, CASE WHEN lifted THEN $1::timestamptz END FROM due ORDER BY chat_id
    ON CONFLICT (chat_id) DO UPDATE SET held_by = excluded.held_by,
        lease_until = excluded.lease_until, lifted_at = coalesce(excluded.lifted_at, l.lifted_at)
    WHERE (l.lease_until IS NULL OR l.lease_until <= $1)
      AND (l.closed_until IS NULL OR l.closed_until <= $1)
    RETURNING chat_id, gone_at, last_message_id
)
UPDATE outbox o SET held_by = $3, tries = o.tries + 1,
    maybe_out = o.maybe_out OR o.held_by IS NOT NULL,
    behind = coalesce(o.behind, lane.last_message_id, 0)
FROM due JOIN lane ON lane.chat_id = due.chat_id
WHERE o.merchant_id = due.merchant_id AND o.id = due.id
RETURNING o.merchant_id, o.id, o.tries, o.held_by, o.place, o.chat_id, o.rank, o.topic,
    o.facts, o.behind, o.maybe_out, o.again, due.lifted, lane.gone_at IS NOT NULL AS gone
"""
# Where a message came through, the bot is there.
SENT: Final = ", gone_at = NULL, last_message_id = greatest(l.last_message_id, ended.message_id)"
# The newer row goes, and the older one says what that one would have said.
TAKE_OVER: Final = """
WITH newer AS (
    DELETE FROM outbox n USING outbox o
    WHERE o.merchant_id = $1 AND o.id = $2
      AND n.merchant_id = $1 AND n.dedupe_key = o.dedupe_key
      AND n.state = 'waiting' AND n.held_by IS NULL
    RETURNING n.facts, n.rank, n.due_at
)
UPDATE outbox o SET facts = newer.facts, rank = least(o.rank, newer.rank),
    due_at = least(o.due_at, newer.due_at)
FROM newer WHERE o.merchant_id = $1 AND o.id = $2
"""
DROP: Final = """
DELETE FROM outbox WHERE (merchant_id, id) IN (
    SELECT merchant_id, id FROM outbox
    WHERE state = 'sent' AND greatest(created_at, due_at) < $1 LIMIT $2)
"""
# $4: what was put in before is not looked for: what was sent since then may be forgotten.
UNPARK: Final = """
UPDATE outbox SET state = 'waiting', again = true, tries = 0, due_at = $2, wait_until = NULL,
    maybe_out = maybe_out AND created_at > $4,
    behind = CASE WHEN maybe_out AND created_at > $4 THEN behind END
WHERE (merchant_id, id) IN (
    SELECT merchant_id, id FROM outbox WHERE chat_id = $1 AND state = 'parked'
    ORDER BY place LIMIT $3 FOR UPDATE
)
"""
# $1, $2: chats and messages in them.
UNSENT: Final = """
SELECT EXISTS (SELECT FROM outbox WHERE chat_id = m.chat_id AND state = 'waiting'
               AND (facts->>'reply_to')::bigint = m.message_id) AS unsent
FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS m (chat_id, message_id, place)
ORDER BY m.place
"""
