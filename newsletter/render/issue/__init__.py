"""What an issue says: its listings as views, HTML and text."""
