"""When work starts and how it ends: the schedule, signals, the event loop."""
