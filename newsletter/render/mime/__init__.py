"""How a message travels: headers, encoding, signature (RFC 5322, 2045, 6376)."""
