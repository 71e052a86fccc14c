"""The rules, with no socket, file, clock, thread or logger."""
