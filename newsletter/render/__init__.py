"""From an issue to each reader's bytes: rendered once, inlined once, encoded once, joined per reader."""
