"""What both ends of the collector ask of the network: verified TLS, answers in time."""
