"""The configuration: strict YAML into typed settings."""
