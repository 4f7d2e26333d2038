"""What the program tells others: webhooks, and posts in channels."""
