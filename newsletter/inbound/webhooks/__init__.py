"""Webhooks: each service in a module, with how it shows that a message is its own, and what its words mean."""
