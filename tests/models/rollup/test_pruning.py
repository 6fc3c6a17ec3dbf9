"""Rows of roll-ups that count nothing any longer go; nothing else does."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from app.database.transactions import transaction
from app.extensions import db
from app.models import Feedback, removal, rollup
from app.models.rollup import check, pruning

START = datetime(2026, 10, 24, 21, 40, tzinfo=UTC)


def sizes():
    found = [db.session.scalar(select(func.count()).select_from(table)) for table in pruning.TABLES]
    db.session.rollback()
    return found


def send_some(send):
    for days in range(4):
        public_id = send(created_at=START - timedelta(days=days), url="https://shop.example/basket")
        with transaction() as session:
            Feedback.by_public_id(session, public_id).change(session, START, status="resolved")
    rollup.fold_all()


def test_rows_of_zeros_go_and_the_rest_stays_exact(send):
    send_some(send)
    rollup.prune()  # the boxes that they left
    whole = sizes()
    with transaction() as session:
        removal.remove(session, list(session.scalars(select(Feedback.id).order_by(Feedback.id).limit(3))))
    assert sizes() == whole, "removal leaves zeros"
    assert rollup.prune() == sum(whole) - sum(sizes()) > 0
    assert [size * 4 for size in sizes()[:2]] == whole[:2]
    assert all(sizes())
    assert check.recount().differences == ()
    assert rollup.prune() == 0


def test_what_counts_something_again_meanwhile_stays(send):
    send_some(send)
    with transaction() as session:
        removal.remove(session, list(session.scalars(select(Feedback.id))))
    empty = [(table, pruning.empty_rows(table)) for table in pruning.TABLES]
    send(created_at=START, url="https://shop.example/basket")
    rollup.fold_all()
    assert (
        sum(pruning.take_out(table, rows) for table, rows in empty) == sum(len(rows) for _, rows in empty) - 6
    )
    assert check.recount().differences == ()


def test_pruning_ends_when_its_time_is_over(send):
    send_some(send)
    assert rollup.prune(0) == 0
