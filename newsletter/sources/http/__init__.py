"""HTTP for sources: a client that is polite, limited in time and size, and safe."""
