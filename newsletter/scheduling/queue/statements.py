"""What is asked of Procrastinate's tables in SQL. All values are parameters."""

from __future__ import annotations

from typing import LiteralString

DELIVER, SEND = "deliver_chunk", "send_mails"  # the tasks

HAS_TABLES: LiteralString = "SELECT to_regclass('procrastinate_jobs') IS NOT NULL"
IS_DUE: LiteralString = "status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now())"
# A job's events say when it was asked for, put back, and from when on it may be taken.
COUNTS: LiteralString = f"""
    SELECT queue_name AS queue,
        count(*) FILTER (WHERE {IS_DUE}) AS todo,
        count(*) FILTER (WHERE status = 'todo' AND scheduled_at > now()) AS later,
        count(*) FILTER (WHERE status = 'doing') AS doing,
        min(since) FILTER (WHERE {IS_DUE}) AS oldest
    FROM procrastinate_jobs LEFT JOIN LATERAL (
        SELECT max(at) AS since FROM procrastinate_events WHERE job_id = procrastinate_jobs.id AND at <= now()
    ) AS events ON status = 'todo'
    WHERE status IN ('todo', 'doing') GROUP BY queue_name ORDER BY queue_name
"""
THIS_ISSUE: LiteralString = "queue_name = 'issues' AND (args->>'issue')::bigint = %(issue)s"
WAS_PUT_OFF: LiteralString = "(args->>'trouble' <> '' OR args->>'waiting' <> '')"
# One that goes back because the database failed is tried again in a moment: see `working`. If it did not count,
# others would be added in its place each second, for as long as the database fails.
IS_BACK_SOON: LiteralString = f"""
    status = 'todo' AND attempts > 0 AND scheduled_at BETWEEN now() AND now() + interval '6 seconds'
    AND {WAS_PUT_OFF} IS NOT TRUE
"""
OF_ISSUE: LiteralString = f"""
    SELECT count(*) FILTER (WHERE {IS_DUE} OR {IS_BACK_SOON}) AS todo,
        count(*) FILTER (WHERE status = 'doing') AS doing,
        max(args->>'trouble') FILTER (WHERE status = 'todo') AS trouble,
        max(args->>'waiting') FILTER (WHERE status = 'todo') AS waiting
    FROM procrastinate_jobs WHERE status IN ('todo', 'doing') AND {THIS_ISSUE}
"""
HASTEN: LiteralString = f"""
    UPDATE procrastinate_jobs SET scheduled_at = NULL,
        args = args - 'trouble' - 'waiting' || jsonb_build_object('at_once',
            %(at_once)s::boolean OR (args->>'at_once')::boolean)
    WHERE status = 'todo' AND {THIS_ISSUE} AND (
        scheduled_at <= %(now)s::timestamptz
        OR (%(again)s::boolean AND {WAS_PUT_OFF})
        OR (%(at_once)s::boolean AND (scheduled_at IS NOT NULL OR args->>'at_once' = 'false')))
    RETURNING id
"""
LEAVE_HOURS_ASIDE: LiteralString = f"""
    UPDATE procrastinate_jobs SET scheduled_at = NULL, args = args - 'trouble' - 'waiting' || '{{"at_once": true}}'
    WHERE status = 'todo' AND {THIS_ISSUE} AND args->>'at_once' IS DISTINCT FROM 'true' RETURNING id
"""
# No `queueing_lock`: it would keep a job that is brought back from being queued again.
ASK_FOR_MAILS: LiteralString = """
    INSERT INTO procrastinate_jobs (queue_name, task_name, priority)
    SELECT %(queue)s::text, %(task)s::text, %(priority)s::integer
    WHERE NOT EXISTS (SELECT FROM procrastinate_jobs WHERE queue_name = %(queue)s AND status = 'todo')
    RETURNING id
"""
DROP: LiteralString = f"DELETE FROM procrastinate_jobs WHERE status = 'todo' AND {THIS_ISSUE} RETURNING id"
ISSUES: LiteralString = """
    SELECT DISTINCT (args->>'issue')::bigint AS issue FROM procrastinate_jobs
    WHERE queue_name = 'issues' AND status = 'todo'
"""
# Not by Procrastinate's `retry_job`: that raises an error where the worker has ended the job meanwhile.
BRING_BACK: LiteralString = """
    UPDATE procrastinate_jobs SET status = 'todo', scheduled_at = NULL, attempts = attempts + 1, worker_id = NULL
    WHERE id = %(job)s AND status = 'doing' AND worker_id IS NOT DISTINCT FROM %(worker)s RETURNING id
"""
PUT_OFF: LiteralString = f"""
    WITH noted AS (
        UPDATE procrastinate_jobs
        SET args = args || jsonb_build_object('trouble', %(trouble)s::text, 'waiting', %(waiting)s::text)
        WHERE id = %(job)s AND status = 'doing'
    )
    UPDATE procrastinate_jobs SET scheduled_at = %(until)s::timestamptz
    WHERE {IS_DUE} AND {THIS_ISSUE} RETURNING id
"""
# The table in which Procrastinate notes who begins periodic work; who comes second inserts nothing.
TAKE_TURN: LiteralString = """
    WITH turn AS (SELECT floor(extract(epoch FROM now()) / %(every)s::float)::bigint AS number),
    gone AS (
        DELETE FROM procrastinate_periodic_defers USING turn
        WHERE task_name = 'look_after_jobs' AND defer_timestamp < turn.number
    ),
    ours AS (
        INSERT INTO procrastinate_periodic_defers (task_name, defer_timestamp)
        SELECT 'look_after_jobs', number FROM turn ON CONFLICT DO NOTHING RETURNING id
    )
    SELECT EXISTS (SELECT FROM ours) AS is_ours
"""
OWN: LiteralString = "WHERE id = %(job)s AND status = 'doing' AND worker_id = %(worker)s"
FINISH: LiteralString = f"DELETE FROM procrastinate_jobs {OWN}"
AGAIN: LiteralString = f"""
    UPDATE procrastinate_jobs
    SET status = 'todo', scheduled_at = %(at)s::timestamptz, attempts = attempts + 1, worker_id = NULL
    {OWN}
"""
