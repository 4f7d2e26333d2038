"""A local inbox: where the demo's mails arrive."""
