"""Backups: each is an SQLite database, whatever the ledger is in, so that it can be restored into either engine.

`files` makes and checks such files, `postgresql` fills them from PostgreSQL and loads them into it, `placing` puts
one in the place of the ledger, `settling` and `carrying` decide what becomes of what the backup does not know.
"""
