"""The detector: runtimes, training, evaluation, export, calibration, weights, the twin."""
