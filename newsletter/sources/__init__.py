"""Where listings come from: each adapter has a file here and a line in `registry`."""
