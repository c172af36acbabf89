"""Which seeds may be used for what: the demo must be new to the detector.

Seeds under 1,000 are the demo's and are never trained on; seeds from 10,000 on are for training.
What lies between belongs to neither and may be used for looking and for tests.
"""

from __future__ import annotations

from pipeline.errors import ConfigError

DEMO_SEEDS_BELOW = 1_000
TRAINING_SEEDS_FROM = 10_000


def require_training_seed(seed: int) -> int:
    """The seed itself if it may be trained on. Raises ConfigError for any other."""
    if seed < TRAINING_SEEDS_FROM:
        raise ConfigError(
            f"seed {seed} must not be trained on, expected one of {TRAINING_SEEDS_FROM} or more",
            hint=f"seeds under {DEMO_SEEDS_BELOW} are the demo's: training on them would make its "
            "result worthless",
        )
    return seed


def require_demo_seed(seed: int) -> int:
    """The seed itself if it is one of the demo's. Raises ConfigError for any other."""
    if not 0 <= seed < DEMO_SEEDS_BELOW:
        raise ConfigError(
            f"seed {seed} is not one of the demo's, expected 0 to {DEMO_SEEDS_BELOW - 1}",
            hint=f"seeds from {TRAINING_SEEDS_FROM} on are trained on and would prove nothing",
        )
    return seed
