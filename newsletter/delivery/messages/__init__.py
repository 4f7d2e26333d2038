"""The messages of a chunk: rendered, signed and ready before a connection asks for them."""
