"""Delivery: from the outbox to a relay, with intent recorded before and the outcome after."""
