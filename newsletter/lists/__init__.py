"""The operator's list files: one TOML file a list in `subscribers/`, with a CSV file of members for long lists."""
