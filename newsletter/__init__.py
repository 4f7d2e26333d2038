"""A self-hosted daily email of research papers: collected, diffed, rendered and delivered exactly once."""

__version__ = "0.1.0"
