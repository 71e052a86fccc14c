"""The five sources, and the loops that drive them."""
