"""Feeds of lists: their papers, their issues, and the papers on each topic."""
