"""From sources to delivered issues: collect, publish, deliver, report."""
