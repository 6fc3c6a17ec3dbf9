"""Roll-ups: figures of the dashboard that are exact without counting rows, and cost a submission nothing.

They hold what every submission up to a watermark counts for; what came after it is a few rows, which readers
count themselves (`reading`). A change or removal of what is counted moves the roll-ups in its own transaction
(`following`, `move`), and the worker moves the watermark (`fold`). So a submission stands in every figure the
moment it is acknowledged, and intake writes nothing for it.
"""

from app.models.rollup.keeping import WHOLE, Leaving, fold, fold_all, following, leave, move
from app.models.rollup.pruning import prune

__all__ = ["WHOLE", "Leaving", "fold", "fold_all", "following", "leave", "move", "prune"]
