"""Real small cameras for tests and benchmarks: footage that numbers itself, an RTSP server."""

from camera_adapters.testing.footage import number_of, numbered_picture, write_video
from camera_adapters.testing.rtsp import RtspServer

__all__ = ["RtspServer", "number_of", "numbered_picture", "write_video"]
