"""Delivery: from the outbox to a relay, with intent recorded before and the outcome after.

::

    dispatch     one run, from recovery to the report
      supply       what is due, claimed in batches        limits   how much each recipient domain takes
      connection   one connection at work                 relays   whose turn it is; health, pace
      run          what is recorded of each delivery      ledger   group commits; journal, recovery
    relay        connects, secures, logs in
      pipelined    transactions in one or two round trips, over a link
      stock        transactions one command at a time
      envelope, replies   what is said, and what the answers mean
"""
