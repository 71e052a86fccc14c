"""Conversations with a vendor: HTTP and WebSocket.  Sockets, TLS and proxies are in ``net``."""
