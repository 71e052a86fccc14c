"""Testing a connection: steps, what they find, and what a failure means."""
