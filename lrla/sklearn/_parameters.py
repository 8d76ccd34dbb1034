"""Parameters that estimators here share with scikit-learn's."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_random_state


def seed_from(random_state: Any) -> Any:
    """Turn what scikit-learn takes for a source of randomness, or a Generator, into a seed."""
    if isinstance(random_state, np.random.Generator):
        return random_state
    return int(check_random_state(random_state).randint(2**31 - 1))
