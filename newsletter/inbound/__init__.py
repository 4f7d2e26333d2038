"""What comes back: reports of mail servers and of services, and mails by which readers leave."""
