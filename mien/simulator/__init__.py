"""Cameras that exist only as a process: RTSP and MJPEG from video files, with faults on demand."""
