"""What delivering writes down: notes in the ledger or a journal, and how a dead process is recovered from them."""
