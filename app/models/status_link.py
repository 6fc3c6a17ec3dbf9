"""The token of a reporter's private page, `/f/TOKEN`: a submission's public id, signed with its number."""

import base64
import hashlib
import hmac

from app.models import signing

TOKEN_BYTES = 15  # 120 bits of the signature: 20 characters of base 64


def status_token(public_id: str, number: int = 0, key: str | None = None) -> str:
    """Sign a public id for the reporter's page: id and 120 bits of HMAC-SHA-256 (RFC 2104).

    `number` counts the links that a submission has had, from 0. `key` is the secret in force unless given.
    """
    secret = key or signing.keys()[0]
    signed = f"{public_id}:{number}" if number else public_id
    digest = hmac.digest(secret.encode(), b"status-link:" + signed.encode("utf-8", "replace"), hashlib.sha256)
    return public_id + base64.urlsafe_b64encode(digest[:TOKEN_BYTES]).decode()


def is_status_token(token: str, public_id: str, number: int) -> bool:
    """Tell whether a token was signed for this id and number, by the secret in force or by an earlier one."""
    given = token.encode("utf-8", "replace")
    secrets = signing.keys()
    return any(
        hmac.compare_digest(status_token(public_id, number, secret).encode(), given) for secret in secrets
    )
