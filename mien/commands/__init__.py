"""The commands of ``mien``, one module each."""
