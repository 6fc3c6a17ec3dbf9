"""What is due, batch by batch: read between the write transactions, by statements built once a policy."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Select, bindparam, select, tuple_

from app.blueprints.retention.plan import Work
from app.database.transactions import current_session
from app.database.types import UtcTime
from app.models import Feedback
from app.models.due import Due


@dataclass(frozen=True)
class Batches:
    """Reads id and moment of what is due, in the order of an index, always behind the place reached."""

    first: Select[int, datetime]
    further: Select[int, datetime]

    @staticmethod
    def of(due: Due, work: Work) -> "Batches":
        """Build the statements once for all batches."""
        query = select(Feedback.id, due.moment.label("moment")).where(*due.free, *work.narrowing)
        first = query.order_by(due.moment, Feedback.id).limit(bindparam("size", type_=BigInteger()))
        place = tuple_(bindparam("moment", type_=UtcTime()), bindparam("last", type_=BigInteger()))
        return Batches(first, first.where(tuple_(due.moment, Feedback.id) > place))

    def next(self, place: Any, size: int) -> Any:
        """Read the next batch; `place` is the last row of the one before, or None."""
        session = current_session()
        wanted = {} if place is None else {"moment": place.moment, "last": place.id}
        query = self.first if place is None else self.further
        found = session.execute(query, {"size": size, **wanted}).all()
        session.rollback()  # no read stays open between the batches
        return found
