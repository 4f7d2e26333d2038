"""The web side: pages for readers, the local preview, and the server that both run on."""
