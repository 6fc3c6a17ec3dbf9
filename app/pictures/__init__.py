"""Pictures: decoded, re-encoded and redacted in a child process; never in the one that answers requests.

Owns the limits of a picture and how its blobs are named.
"""

MAX_PIXELS = 24_000_000
MAX_SIDE = 16_384
BLOB_KIND = "screenshots"
# A thumbnail's key follows from its picture's, so that the janitor needs one index only.
THUMBNAIL_SUFFIX = ".thumb"
