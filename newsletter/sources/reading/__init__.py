"""Reads the answers of sources: JSON, feeds, HTML and files. All of them may be hostile."""
