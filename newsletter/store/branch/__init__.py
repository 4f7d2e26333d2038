"""The ledger on a branch of a Git repository, for machines that are forgotten after each run."""
