"""HTTP for sources: one client, polite, bounded and safe."""
