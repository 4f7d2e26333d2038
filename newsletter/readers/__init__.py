"""The people who read: what becomes of them, apart from the mail that they get."""
