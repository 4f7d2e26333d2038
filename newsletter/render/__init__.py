"""From an issue to each reader's bytes: rendered, inlined and encoded once, then joined for each reader."""
