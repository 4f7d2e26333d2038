"""Delivery: from the outbox to a relay, with intent recorded before and the outcome after.

::

    dispatch     one run, from recovery to the report
      supply       what is due, claimed in batches        limits   how much each recipient domain takes
      connection   one connection at work                 relays   whose turn it is; health, pace
      run          what is recorded of each delivery      ledger   group commits; journal, recovery
    relay        sessions with one relay; relay_config   how it is used
      opening      connects, secures, logs in             advice   which setting to change if that fails
      pipelined    transactions in one or two round trips, over a link
      stock        transactions one command at a time
      experience   whether the next envelope may stand in the write of a final dot
      envelope, replies   what is said, and what the answers mean
"""
