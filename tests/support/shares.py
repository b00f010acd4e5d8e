"""Shares of a whole, with what chance alone makes of them."""

from __future__ import annotations

import math


def share(part: int, whole: int) -> str:
    low, high = interval(part, whole)
    return f"{part:3} of {whole:3} = {100 * part / max(whole, 1):5.1f} %  [{100 * low:.0f} to {100 * high:.0f}]"


def interval(part: int, whole: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    if not whole:
        return 0.0, 1.0
    z, p = 1.96, part / whole
    middle, spread = p + z * z / (2 * whole), z * math.sqrt(p * (1 - p) / whole + z * z / (4 * whole * whole))
    return (middle - spread) / (1 + z * z / whole), (middle + spread) / (1 + z * z / whole)
