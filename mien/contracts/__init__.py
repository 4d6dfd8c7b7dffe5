"""What crosses a process boundary: topics, events, Redis records, model signatures, live messages."""
