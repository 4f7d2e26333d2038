"""The demo: sample listings, sent to three readers on this machine."""
