"""What an operator watches and does."""
