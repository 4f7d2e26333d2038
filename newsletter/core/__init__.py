"""The pure core: values and decisions, with no clock, network, database, settings or logger."""
