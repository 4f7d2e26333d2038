"""SMTP: sessions with relays, and what their replies mean (RFC 5321)."""
