"""The pages of single papers, and the search for them."""
