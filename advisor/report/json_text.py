"""The verdict as JSON. Its JSON Schema is rules/schema/verdict.schema.json."""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from advisor.model.verdict import Verdict


def json_text(verdict: Verdict) -> str:
    """The verdict as ASCII JSON, ending with a newline: what a user wrote reaches no terminal unescaped."""
    return json.dumps(_finite(verdict), indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    """The same with infinity, which JSON lacks, as the largest float: a poll every 0 s asks without bound."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return sys.float_info.max if isinstance(value, float) and math.isinf(value) else value
