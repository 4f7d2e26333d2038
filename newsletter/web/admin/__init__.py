"""The operator's pages, `/-/admin/`: what goes on, and what to do about it. English only."""
