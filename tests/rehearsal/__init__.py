"""Rehearses the workflow of GitHub Actions: its own steps, on machines that are forgotten after each run."""
