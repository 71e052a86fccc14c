"""The network: HTTP, WebSocket, TLS."""
