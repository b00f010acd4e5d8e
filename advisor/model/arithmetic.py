"""Arithmetic that never fails: what no float holds is infinite, and zero times infinity is zero."""

from __future__ import annotations

import math


def power(value: float, exponent: int) -> float:
    """`value` to the power of `exponent`, with 1/0 = infinity and nothing raised on overflow."""
    if value == 0 and exponent < 0:
        return math.inf
    try:
        return float(value**exponent)
    except OverflowError:
        return math.inf


def finite(value: float) -> float:
    """The number as a float; a whole number that no float holds is infinite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def multiply(a: float, b: float) -> float:
    """The product, where zero times infinity is zero: no clients cause no messages, whatever their rate."""
    return 0.0 if a == 0 or b == 0 else a * b
