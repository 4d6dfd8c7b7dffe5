"""How any service runs: settings, life cycle, bus, model server client, logs, metrics, health."""
