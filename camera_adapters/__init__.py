"""Sources of frames, one module a kind, one registry: `open_camera`."""

from camera_adapters.failures import redact
from camera_adapters.folder import FolderCamera
from camera_adapters.push import PushCamera
from camera_adapters.registry import OPENERS, open_camera
from camera_adapters.source import CameraSource, Clock, OnFault, Opener

__all__ = [
    "OPENERS",
    "CameraSource",
    "Clock",
    "FolderCamera",
    "OnFault",
    "Opener",
    "PushCamera",
    "open_camera",
    "redact",
]
