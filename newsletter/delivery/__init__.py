"""Delivery: from the outbox to a relay, with the intent recorded before each message and the outcome after it.

::

    service          what lives as long as the process; `deliver_chunk` is one call of it
      chunk          what the connections of one call share
      claims         what is due, claimed in batches
      connection     one connection at work: take, begin, hand over, settle
      settlement     what becomes of each delivery; tally counts it
    mailer           single mails
    limits/          what may be sent now: domains, relays, their health and pace, refusals in doubt
    messages/        letters and their signatures, made ahead of their turn
    record/          notes in the ledger or a journal; this process as a worker; recovery of dead ones
    smtp/            sessions with one relay: how they open, what is said, what the answers mean
"""
