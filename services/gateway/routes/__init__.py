"""The REST interface and the live websocket, a module per subject."""
