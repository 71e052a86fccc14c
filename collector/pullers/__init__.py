"""The sources, each a value of pure functions, and the loops that drive them."""
