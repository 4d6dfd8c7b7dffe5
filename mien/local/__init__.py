"""The embedded stack behind ``mien up``: broker, Redis, model server and services under one supervisor."""
