"""Senders: from the spool to the destinations."""
