"""The studio: an issue looked at before it goes out."""
