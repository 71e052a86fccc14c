"""A demonstration without a licence: simulator, collector, faults, verdict."""
