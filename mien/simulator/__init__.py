"""Cameras that exist only as a process: of every kind, from video files, with faults on demand."""
