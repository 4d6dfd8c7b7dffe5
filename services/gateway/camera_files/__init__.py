"""Cameras from files: our own CSV and YAML, Frigate's and go2rtc's configurations, and back.

Whatever a file says is data: nothing in it is run, fetched or looked up.
"""

from services.gateway.camera_files.entry import CameraFile, CameraFileError, FileEntry
from services.gateway.camera_files.planning import PlannedCamera, plan_import
from services.gateway.camera_files.reading import read_camera_file
from services.gateway.camera_files.writing import to_csv, to_yaml

__all__ = [
    "CameraFile",
    "CameraFileError",
    "FileEntry",
    "PlannedCamera",
    "plan_import",
    "read_camera_file",
    "to_csv",
    "to_yaml",
]
