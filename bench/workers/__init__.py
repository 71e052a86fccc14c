"""What the rows measure, each in a fresh interpreter; the last line printed is JSON."""
