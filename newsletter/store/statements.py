"""The statements that every delivery or subscriber goes through, in the words of each engine.

They go straight to the drivers, see `newsletter.store.bulk`. SQLAlchemy writes all others.
"""

from __future__ import annotations

from typing import NamedTuple

from newsletter.store.tables import EVERY_LIST


class Statement(NamedTuple):
    """A statement, or a part of one, for either engine; parameters are written as its driver reads them.

    Empty: this engine needs none.
    """

    sqlite: str = ""
    postgresql: str = ""


def _table(parameter: str, **types: str) -> Statement:
    """Return a table of the rows that a parameter holds as an array of arrays in JSON.

    Args:
        parameter: its name.
        types: the columns in their order, with their types in PostgreSQL. SQLite needs none.
    """
    # JSONB is read once; of JSON, each column would read its row again. Arrays cost psycopg more than they save.
    sqlite = [f"json_extract(value, '$[{place}]') AS {name}" for place, name in enumerate(types)]
    postgresql = [f"(value ->> {place})::{kind} AS {name}" for place, (name, kind) in enumerate(types.items())]
    return Statement(
        sqlite=f"(SELECT {', '.join(sqlite)} FROM json_each(:{parameter}))",
        postgresql=f"(SELECT {', '.join(postgresql)} FROM jsonb_array_elements(%({parameter})s))",
    )


# New choices of an issue.
_CHOSEN = _table("chosen", issue="bigint", number="int", choice="text", subject="text")
ADD_CHOICES = Statement(
    sqlite=f"""
        INSERT INTO choices (issue_key, number, chosen, subject)
        SELECT issue, number, choice, subject FROM {_CHOSEN.sqlite} AS chosen
    """,
    postgresql=f"""
        INSERT INTO choices (issue_key, number, chosen, subject)
        SELECT issue, number, choice, subject FROM {_CHOSEN.postgresql} AS chosen
    """,
)

_ADDRESS = "subscribers.address_key"
# The domain of an address with its last @, as both engines read it. What comes before is what is left when
# all that is no @ is taken off the end.
_DOMAIN = f"substr({_ADDRESS}, length(rtrim({_ADDRESS}, replace({_ADDRESS}, '@', ''))))"
# No address begins with @. Hardly ever is a domain suppressed. This is asked once a statement; if there is none,
# no subscriber's domain is looked up.
_ANY_DOMAIN = "EXISTS (SELECT 1 FROM suppressions WHERE address_key >= '@' AND address_key < 'A')"


def _suppression(own: str, of_domain: str) -> str:
    """Return the expression for what suppresses a subscriber's address on their list, itself or with its domain.

    Args:
        own: the column of the address's own suppression. Of several, one for all lists stands first.
        of_domain: what is told of the domain's.
    """
    one = f"""(
        SELECT {{told}} FROM suppressions WHERE suppressions.address_key = {{key}}
            AND suppressions.list IN (subscribers.list, '{EVERY_LIST}') ORDER BY suppressions.list LIMIT 1
    )"""
    return f"""coalesce(
        {one.format(told=own, key=_ADDRESS)},
        CASE WHEN {_ANY_DOMAIN} THEN {one.format(told=of_domain, key=_DOMAIN)} END
    )"""


SUPPRESSION_REASON = _suppression("reason", "address_key || ': ' || reason")
SUPPRESSION_SINCE = _suppression("since", "since")

# Deliveries of an issue that are due: what was chosen for the subscriber, address and name as they were when the
# issue was closed, why the address is suppressed, or NULL, and what else may bar the subscriber. All have a
# choice. SQLite returns the rows with the numbers of their choices, and each choice once: to write it for each row
# and to read it again takes as long as all else. PostgreSQL picks and locks the rows before it looks anything up
# for them; else it would join and sort all that is due for each claim. It lets the worker hold them at once.
_DUE = f"""
    SELECT deliveries.key, deliveries.issue_key, subscriber_key, state, due_at, attempts,
        {{chosen}}, deliveries.email AS email, coalesce(deliveries.name, subscribers.name) AS name,
        {SUPPRESSION_REASON} AS suppression, status, paused_until
    FROM {{source}} JOIN subscribers ON subscribers.key = deliveries.subscriber_key
"""
_CLAIMED = """
    key, issue_key, subscriber_key, state, due_at, attempts, choice, NULL, email, name,
    suppression, status, paused_until
"""
CLAIM = Statement(
    sqlite=f"""
        WITH due AS MATERIALIZED (
            {_DUE.format(chosen="choice", source="deliveries")}
            WHERE deliveries.issue_key = :issue_key AND ready_at <= :now
                AND EXISTS (SELECT 1 FROM issues WHERE key = :issue_key AND closing_by IS NULL AND halt IS NULL)
            ORDER BY ready_at, deliveries.key LIMIT :limit
        )
        SELECT (SELECT json_group_array(json_array({_CLAIMED})) FROM due), (
            SELECT json_group_array(json_array(number, chosen, subject)) FROM choices
            WHERE issue_key = :issue_key AND number IN (SELECT choice FROM due)
        ),
        EXISTS (
            SELECT 1 FROM due WHERE suppression IS NOT NULL OR status <> 'active' OR paused_until IS NOT NULL
        )
    """,
    postgresql=f"""
        WITH due AS MATERIALIZED (
            SELECT key, issue_key, subscriber_key, state, due_at, ready_at, attempts, choice, email, name
            FROM deliveries
            WHERE issue_key = %(issue_key)s AND ready_at <= %(now)s
                AND EXISTS (SELECT 1 FROM issues WHERE key = %(issue_key)s AND closing_by IS NULL AND halt IS NULL)
            ORDER BY ready_at, key LIMIT %(limit)s
            FOR UPDATE SKIP LOCKED
        ),
        held AS (
            UPDATE deliveries SET claimed_by = %(worker)s, ready_at = NULL FROM due WHERE deliveries.key = due.key
        )
        {_DUE.format(chosen="chosen, subject", source="due AS deliveries")}
        LEFT JOIN choices ON choices.issue_key = deliveries.issue_key AND choices.number = deliveries.choice
        ORDER BY ready_at, deliveries.key
    """,
)
HOLD = Statement(
    sqlite="""
        UPDATE deliveries SET claimed_by = :worker, ready_at = NULL
        WHERE key IN (SELECT json_extract(value, '$[0]') FROM json_each(:rows))
    """
)

# Where deliveries stand: the key, whether the reader was erased, and the fields of `core.steps.Standing`. All
# transactions lock deliveries in the order of their keys, so that none waits in a circle.
STANDINGS = Statement(
    sqlite="""
        SELECT json_group_array(json_array(key, email = '', state, due_at, attempts, claimed_by)) FROM deliveries
        WHERE key IN (SELECT value FROM json_each(:keys))
    """,
    postgresql="""
        SELECT key, email = '', state, due_at, attempts, claimed_by FROM deliveries
        WHERE key = ANY(%(keys)s) ORDER BY key FOR UPDATE
    """,
)

# How many of some deliveries wait, and of others are in flight, if a worker holds them and they are not erased;
# and the first and the last of these workers, by name.
_HELD = "claimed_by FROM deliveries WHERE claimed_by IS NOT NULL AND email <> ''"
STAND_PLAIN = Statement(
    sqlite=f"""
        SELECT count(*), min(claimed_by), max(claimed_by) FROM (
            SELECT {_HELD} AND key IN (SELECT value FROM json_each(:waiting)) AND state IN ('queued', 'deferred')
            UNION ALL SELECT {_HELD} AND key IN (SELECT value FROM json_each(:in_flight)) AND state = 'sending'
        )
    """
)

# What some notes of a worker tell of, step by step.
_NOTED_STEPS = """
    SELECT (value ->> 0)::bigint AS key, value ->> 1 AS state, (value ->> 2)::timestamptz AS at,
        (value ->> 3)::int AS attempts, (value ->> 5)::int AS code, coalesce(value ->> 6, '') AS text,
        coalesce(value ->> 7, '') AS relay, number, place
    FROM worker_notes, jsonb_array_elements(changes::jsonb) WITH ORDINALITY AS one (value, place)
    WHERE worker = %(worker)s AND number = ANY(%(numbers)s::bigint[])
"""
_IS_THERE = """
    CASE first_state
        WHEN 'sending' THEN deliveries.state IN ('queued', 'deferred') AND deliveries.attempts + 1 = last.attempts
        ELSE deliveries.state = 'sending' AND deliveries.attempts = last.attempts
    END
"""
_TAKEN = """
    updated_at = last.at, text = last.text, ready_at = NULL, next_attempt_at = NULL,
    state = last.state, attempts = last.attempts, relay = last.relay, code = last.code, reason = '',
    claimed_by = CASE last.state WHEN 'sending' THEN claimed_by END
"""

# Takes the steps that some notes of a worker tell of, all of them plain (`newsletter.store.plain_steps`), and
# deletes these notes and older ones. It says whether there were so many deliveries, and each stood where its steps
# begin; if not, the caller undoes it. Deliveries change in the order of their keys. The CASE keeps PostgreSQL from
# going through all that the worker holds, for each of them.
TAKE_PLAIN_NOTED = Statement(
    postgresql=f"""
        WITH steps AS MATERIALIZED ({_NOTED_STEPS}),
        last AS MATERIALIZED (
            SELECT DISTINCT ON (key) key, state, at, attempts, code, text, relay,
                first_value(state) OVER (PARTITION BY key ORDER BY number, place) AS first_state
            FROM steps ORDER BY key, number DESC, place DESC
        ),
        kept AS (
            INSERT INTO delivery_events (delivery_key, at, state, attempt, relay, code, text, reason)
            SELECT key, at, state, attempts, relay, code, text, '' FROM steps ORDER BY number, place
        ),
        taken AS (
            UPDATE deliveries SET {_TAKEN} FROM last WHERE deliveries.key = last.key
                AND CASE WHEN claimed_by = %(worker)s AND email <> '' THEN {_IS_THERE} END
            RETURNING 1
        ),
        forgotten AS (DELETE FROM worker_notes WHERE worker = %(worker)s AND number <= %(up_to)s::bigint)
        SELECT count(*) = %(count)s FROM taken
    """
)

# Takes the plain steps among others that some notes of a worker tell of, and deletes these
# notes and older ones. Nothing happens unless the notes have steps of so many deliveries, besides others that are
# not plain, and each stands where they begin. All are locked in the order of their keys, the others too, before
# anything is written: who waits for the verdict waits for that.
TAKE_NOTED = Statement(
    postgresql=f"""
        WITH steps AS MATERIALIZED ({_NOTED_STEPS}),
        last AS MATERIALIZED (
            SELECT DISTINCT ON (key) key, state, at, attempts, code, text, relay,
                key <> ALL(%(others)s::bigint[]) AS is_plain,
                first_value(state) OVER (PARTITION BY key ORDER BY number, place) AS first_state
            FROM steps ORDER BY key, number DESC, place DESC
        ),
        stands AS MATERIALIZED (
            SELECT is_plain, claimed_by = %(worker)s AND email <> '' AND {_IS_THERE} AS is_there
            FROM deliveries JOIN last ON deliveries.key = last.key
            ORDER BY deliveries.key FOR UPDATE OF deliveries
        ),
        verdict AS MATERIALIZED (
            SELECT count(*) = %(count)s AND count(*) FILTER (WHERE is_there) = %(count)s AS is_well
            FROM stands WHERE is_plain
        ),
        kept AS (
            INSERT INTO delivery_events (delivery_key, at, state, attempt, relay, code, text, reason)
            SELECT key, at, state, attempts, relay, code, text, '' FROM steps
            WHERE key <> ALL(%(others)s::bigint[]) AND (SELECT is_well FROM verdict)
            ORDER BY number, place
        ),
        taken AS (
            UPDATE deliveries SET {_TAKEN}
            FROM last WHERE deliveries.key = last.key AND is_plain AND (SELECT is_well FROM verdict)
        ),
        forgotten AS (
            DELETE FROM worker_notes
            WHERE worker = %(worker)s AND number <= %(up_to)s::bigint AND (SELECT is_well FROM verdict)
        )
        SELECT is_well FROM verdict
    """
)

# Each row is looked up by an index. PostgreSQL does not know how few rows there are, and might read the whole
# table, or sort it.
BY_INDEX = "SELECT " + ", ".join(
    f"set_config('enable_{way}', 'off', true)" for way in ("hashjoin", "mergejoin", "bitmapscan")
)

# Steps as `core.steps.Step` has them: first what is the delivery's own, then what it shares with others.
_STEPS = _table(
    "steps",
    key="bigint",
    updated_at="timestamptz",
    text="text",
    ready_at="timestamptz",
    next_attempt_at="timestamptz",
)
KEEP_STEPS = Statement(
    sqlite=f"""
        INSERT INTO delivery_events (delivery_key, at, state, attempt, relay, code, text, reason)
        SELECT key, updated_at, :state, :attempts, :relay, :code, text, :reason FROM {_STEPS.sqlite} AS step
    """,
    postgresql=f"""
        INSERT INTO delivery_events (delivery_key, at, state, attempt, relay, code, text, reason)
        SELECT key, updated_at, %(state)s, %(attempts)s, %(relay)s, %(code)s::int, text, %(reason)s
        FROM {_STEPS.postgresql} AS step
    """,
)
TAKE_STEPS = Statement(
    sqlite=f"""
        UPDATE deliveries SET updated_at = step.updated_at, text = step.text, ready_at = step.ready_at,
            next_attempt_at = step.next_attempt_at, state = :state, attempts = :attempts, relay = :relay,
            code = :code, reason = :reason, claimed_by = :claimed_by
        FROM {_STEPS.sqlite} AS step WHERE deliveries.key = step.key
    """,
    postgresql=f"""
        UPDATE deliveries SET updated_at = step.updated_at, text = step.text, ready_at = step.ready_at,
            next_attempt_at = step.next_attempt_at, state = %(state)s, attempts = %(attempts)s, relay = %(relay)s,
            code = %(code)s, reason = %(reason)s, claimed_by = %(claimed_by)s
        FROM {_STEPS.postgresql} AS step WHERE deliveries.key = step.key
    """,
)
