"""Services that take finished mails over HTTPS: what they are posted, and what their answers mean."""
