"""The public pages of lists: front page, days and issues, weeks, archive and topics."""
