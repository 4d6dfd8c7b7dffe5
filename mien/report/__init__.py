"""Pages that a person reads: one file each, with everything in it."""
