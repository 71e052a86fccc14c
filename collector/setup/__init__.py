"""Who we are: how each service is authenticated."""
