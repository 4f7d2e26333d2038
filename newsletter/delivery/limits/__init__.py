"""What may be sent now: to which domain, over which relay, how fast; pure decisions, and what is kept of them."""
