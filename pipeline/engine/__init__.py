"""The engine: frames of many cameras through the decision path, live or from a recording."""
