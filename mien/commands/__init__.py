"""One module for each group of ``mien`` commands; ``mien.cli`` imports the one that was asked for."""
