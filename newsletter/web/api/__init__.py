"""What programs ask of the public site."""
