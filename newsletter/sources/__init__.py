"""Where listings come from: one adapter a file, one line each in `registry`."""
