"""Several processes of one machine that deliver together: one that people start, and those that it starts."""
