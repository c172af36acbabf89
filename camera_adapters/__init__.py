"""Sources of frames, one module a kind, one registry: `open_camera(url)`."""
