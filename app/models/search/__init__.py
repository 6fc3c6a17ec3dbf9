"""Full text of submissions: the index is kept behind a watermark, what came after it is searched directly.

Intake writes nothing for it (docs/decisions.md, 3). The worker indexes what is behind the watermark within a
second, and again what was touched; removal forgets.
"""

from app.models.search.keeping import INDEX, catch_up, forget, index_some, merge_deleted, touch

__all__ = ["INDEX", "catch_up", "forget", "index_some", "merge_deleted", "touch"]
