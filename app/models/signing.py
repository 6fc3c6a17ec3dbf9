"""Keyed hashes with the instance's secret: signatures, and marks of people that say nothing by themselves.

A secret that was replaced still counts (`EARMARK_SECRET_KEY_FALLBACKS`): what it signed goes on standing.
"""

import hashlib
import hmac
from collections.abc import Sequence

from app.config import current_settings


def keys() -> Sequence[str]:
    """Return the secrets that count, the one in force first."""
    settings = current_settings()
    return (settings.secret_key, *settings.secret_key_fallbacks)


def sign(purpose: str, text: str, key: str | None = None) -> str:
    """Return HMAC-SHA-256 (RFC 2104) of a text for one purpose, 64 hexadecimal digits."""
    secret = key or keys()[0]
    return hmac.new(secret.encode(), f"{purpose}:{text}".encode(), hashlib.sha256).hexdigest()


def is_signed(purpose: str, text: str, signature: str) -> bool:
    """Tell whether one of the secrets that count made the signature."""
    return any(hmac.compare_digest(sign(purpose, text, key), signature) for key in keys())
