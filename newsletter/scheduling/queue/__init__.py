"""Jobs for workers, on Procrastinate (https://procrastinate.readthedocs.io), in the ledger's own PostgreSQL."""
