"""The archive: what goes in comes back whole, once, whatever is killed meanwhile; one byte wrong is found."""

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.blueprints.retention import archive, archive_records
from app.blueprints.retention import restore as restoring
from app.blueprints.retention.restore import Asked
from app.database.transactions import transaction
from app.errors import Unavailable
from app.extensions import db
from app.models import (
    DailyCount,
    Feedback,
    HeldSubmission,
    Project,
    Screenshot,
    User,
    acts,
    blob_outbox,
    message,
    removal,
    tag,
)
from app.models.archive import ArchivedSubmission, ArchivePart, months
from app.models.base import Base
from app.models.intake import Blob, submit
from app.storage import new_key, storage
from tests.models.test_intake import submission

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
PICTURE = b"RIFF" + bytes(range(256)) * 8
WORDS = "Größe falsch, שלום 🙂\nzweite Zeile"


@pytest.fixture
def context(app):
    with app.app_context():
        yield app


@pytest.fixture
def make(context, project):
    """Add a submission, with a picture if asked for, and return its public id."""

    def add(picture=False, **values):
        blob = None
        if picture:
            key = new_key("screenshots")
            storage().put(key, PICTURE)
            blob = Blob(key, "image/webp", len(PICTURE))
        one = submission(project, blob)
        one.values.update(values)
        public_id = submit(one).public_id
        if picture:
            with transaction() as session:
                shot = Feedback.by_public_id(session, public_id).screenshot
                storage().put(key + ".thumb", b"thumb")
                shot.make_ready(
                    blob_key=key,
                    thumbnail_key=key + ".thumb",
                    size_bytes=len(PICTURE),
                    width=10,
                    height=5,
                )
        return public_id

    return add


def ids_of(*public_ids):
    found = db.session.scalars(select(Feedback.id).where(Feedback.public_id.in_(public_ids))).all()
    db.session.rollback()
    return list(found)


def remove(*public_ids):
    ids = ids_of(*public_ids)
    with transaction() as session:
        removal.remove(session, ids)
    blob_outbox.work_off(storage())


def whole(public_id):
    """Everything the database and the store have of a submission, but for ids and names of blobs."""
    (record,) = archive_records.read(db.session(), ids_of(public_id))
    blobs = [storage().get(key) for key in record.blob_keys]
    for part in record.content["rows"].values():
        for row in part:
            for name in (*archive_records.BLOB_COLUMNS, "id", "event_id"):
                row.pop(name, None)
    db.session.rollback()
    return record.content, blobs


def counts():
    query = select(DailyCount).where(DailyCount.submissions != 0)
    found = {
        (row.day, row.category, row.status): (row.submissions, row.unread, row.screenshots)
        for row in db.session.scalars(query)
    }
    found["bytes"] = db.session.scalar(select(Project.stored_bytes))
    db.session.rollback()
    return found


def restore(hold_days=0, **asked):
    return restoring.restore(Asked(**asked), "Jana", NOW, hold_days=hold_days)


def test_what_was_archived_and_removed_comes_back_whole_with_its_public_id(make):
    values = {
        "description": WORDS,
        "annotation_coords": [{"kind": "arrow", "points": [[1, 2], [3.5, 4]]}],
        "api_state": {"basket": [1, None, {"a": "b"}]},
        "rating": 4,
        "timestamp": NOW - timedelta(days=3),
        "device_pixel_ratio": 1.5,
        "idempotency_key": "key-1",
    }
    public_id, other = make(picture=True, **values), make()
    with transaction() as session:
        found = Feedback.by_public_id(session, public_id)
        message.add(session, found, message.REPLY, "Which browser?", author="Jana", now=NOW)
        message.add(session, found, message.REPORTER, "Firefox.", now=NOW)
        session.add(made := tag.Tag(name="Checkout", key="checkout", color=1))
        session.flush()
        session.add(tag.FeedbackTag(feedback_id=found.id, tag_id=made.id))
    before, counted = whole(public_id), counts()
    assert archive.store(ids_of(public_id)).submissions == 1
    remove(public_id)
    assert ids_of(public_id) == []
    assert restore(public_id=public_id).restored == 1
    assert whole(public_id) == before
    assert counts() == counted
    assert ids_of(other)


def test_a_second_restore_changes_nothing(make):
    public_ids = [make(picture=True) for _ in range(3)]
    archive.store(ids_of(*public_ids))
    remove(*public_ids[:2])
    assert vars(restore())["restored"] == 2
    counted, blobs = counts(), {info.key for info in storage().list_keys()}
    again = restore()
    assert (again.restored, again.already) == (0, 3)
    assert counts() == counted
    assert {info.key for info in storage().list_keys()} == blobs


def test_a_period_a_project_or_one_comes_back_and_nothing_else(make, project):
    early, late = make(created_at=NOW - timedelta(days=40)), make(created_at=NOW)
    archive.store(ids_of(early, late))
    remove(early, late)
    assert restore(since=NOW - timedelta(days=50), until=NOW - timedelta(days=30)).restored == 1
    assert ids_of(early, late) == ids_of(early)
    assert restore(project_id=project.id + 1).restored == 0
    assert restore(project_id=project.id).restored == 1
    assert len(ids_of(early, late)) == 2


def test_what_comes_back_is_held_so_that_the_next_sweep_leaves_it(make):
    public_ids = [make() for _ in range(2)]
    archive.store(ids_of(*public_ids))
    remove(*public_ids)
    restore(hold_days=30)
    assert set(db.session.scalars(select(HeldSubmission.feedback_id))) == set(ids_of(*public_ids))
    assert len(set(db.session.scalars(select(HeldSubmission.hold_id)))) == 1
    db.session.rollback()


def test_archiving_again_writes_nothing_unless_something_changed(make):
    one, other = make(picture=True), make()
    archive.store(ids_of(one, other))
    again = archive.store(ids_of(one, other))
    assert (again.submissions, again.already) == (0, 2)
    with transaction() as session:
        Feedback.by_public_id(session, one).change(session, NOW, status="closed")
    third = archive.store(ids_of(one, other))
    assert (third.submissions, third.already) == (1, 1)
    remove(one)
    restore(public_id=one)
    assert Feedback.by_public_id(db.session(), one).status == "closed", "the newest copy comes back"


def test_parts_are_by_month_and_say_what_they_hold(make):
    made = [make(picture=True, created_at=datetime(2026, month, 3, tzinfo=UTC)) for month in (9, 10, 10)]
    written = archive.store(ids_of(*made))
    assert (written.submissions, written.screenshots) == (3, 3)
    found = [(one.month, one.parts, one.submissions, one.screenshots) for one in months(db.session())]
    assert found == [("2026-10", 1, 2, 2), ("2026-09", 1, 1, 1)]
    stored = {info.key: info.size_bytes for info in storage().list_keys("archives")}
    assert sum(one.size_bytes for one in months(db.session())) == sum(
        size for key, size in stored.items() if key.endswith(".gz")
    )
    part = db.session.scalars(select(ArchivePart).where(ArchivePart.month == "2026-09")).one()
    (line,) = gzip.decompress(storage().get(part.key)).splitlines()
    assert json.loads(line)["submission"]["description"]
    manifest = json.loads(storage().get(part.keys[1]))
    assert manifest["sha256"] == part.sha256
    assert [one["id"] for one in manifest["submissions"]] == [made[0]]


def test_a_large_archive_is_written_in_several_parts(make, monkeypatch):
    monkeypatch.setattr(archive, "MOST_PART_BYTES", 3000)
    made = [make(picture=True) for _ in range(5)]
    archive.store(ids_of(*made))
    assert len(db.session.scalars(select(ArchivePart)).all()) >= 3
    remove(*made)
    assert restore().restored == 5


def test_verify_finds_one_byte_that_changed(make, app):
    archive.store(ids_of(make(picture=True)))
    ((part, fault),) = archive.verify()
    assert fault is None
    path = storage().folder / part.key
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    ((_, fault),) = archive.verify()
    assert part.key in fault
    assert restore().damaged
    path.unlink()
    assert "missing" in next(fault for _, fault in archive.verify())


def test_rewriting_takes_out_what_is_not_wanted_and_leaves_other_parts(make):
    person = make(picture=True, reporter_email="ana@example.org", created_at=NOW)
    other = make(reporter_email="ben@example.org", created_at=NOW)
    elsewhere = make(created_at=NOW - timedelta(days=60))
    archive.store(ids_of(person, other, elsewhere))
    untouched = {p.name for p in db.session.scalars(select(ArchivePart)) if p.month == "2026-09"}
    remove(person, other, elsewhere)
    done = archive.rewrite(lambda record: record["submission"].get("reporter_email") != "ana@example.org")
    blob_outbox.work_off(storage())
    assert (done.submissions, done.parts) == (1, 1)
    names = {part.name for part in db.session.scalars(select(ArchivePart))}
    assert untouched <= names
    assert {info.key for info in storage().list_keys("archives")} == {
        key for part in db.session.scalars(select(ArchivePart)) for key in part.keys
    }
    for info in storage().list_keys("archives"):
        if info.key.endswith(".gz"):
            assert b"ana@example.org" not in gzip.decompress(storage().get(info.key))
    assert all(fault is None for _, fault in archive.verify())
    assert restore().restored == 2
    assert ids_of(person) == []


def test_a_part_of_which_nothing_is_wanted_is_gone(make):
    archive.store(ids_of(make()))
    archive.rewrite(lambda _record: False)
    blob_outbox.work_off(storage())
    assert list(storage().list_keys("archives")) == []
    assert db.session.scalars(select(ArchivedSubmission)).all() == []


def test_the_archive_forgets_after_its_days(make):
    archive.store(ids_of(make()), now=NOW - timedelta(days=31))
    archive.store(ids_of(make()), now=NOW)
    assert archive.expire(NOW, 30) == 1
    blob_outbox.work_off(storage())
    assert len(list(storage().list_keys("archives"))) == 2
    assert archive.expire(NOW, 30) == 0


class Killed(BaseException):
    """What a test raises where a process would be killed."""


@pytest.mark.parametrize("at", ["first blob", "manifest", "row"])
def test_killed_half_way_leaves_only_blobs_that_the_janitor_removes(make, monkeypatch, at):
    public_id = make(picture=True)

    def kill(*_args, **_options):
        raise Killed

    with monkeypatch.context() as patch:
        if at == "row":
            patch.setattr(archive.rows, "add", kill)
        else:
            patch.setattr(archive, "_manifest", kill) if at == "manifest" else patch.setattr(
                archive.gzip, "compress", kill
            )
        with pytest.raises(Killed):
            archive.store(ids_of(public_id))
    assert db.session.scalars(select(ArchivePart)).all() == []
    db.session.rollback()
    archive.remove_orphans(NOW + timedelta(days=4000))
    assert list(storage().list_keys("archives")) == []
    assert ids_of(public_id), "nothing is removed"
    assert archive.store(ids_of(public_id)).submissions == 1
    assert archive.remove_orphans(NOW + timedelta(days=4000)) == 0


def test_a_store_that_cannot_be_written_stops_the_sweep(make, monkeypatch):
    public_id = make()

    def fail(*_args):
        raise OSError("full")

    monkeypatch.setattr(type(storage()), "put", fail)
    with pytest.raises(Unavailable):
        archive.store(ids_of(public_id))
    assert ids_of(public_id)


def test_an_idempotency_key_that_was_used_again_stays_with_the_new_submission(make):
    first = make(idempotency_key="again")
    archive.store(ids_of(first))
    remove(first)
    second = make(idempotency_key="again")
    assert restore().restored == 1
    keys = dict(
        tuple(row) for row in db.session.execute(select(Feedback.public_id, Feedback.idempotency_key))
    )
    assert keys == {first: None, second: "again"}


def test_a_submission_of_a_project_that_is_gone_stays_in_the_archive(make, project):
    archive.store(ids_of(public_id := make()))
    remove(public_id)
    with transaction() as session:
        session.delete(session.get(Project, project.id))
    assert (restore().homeless, ids_of(public_id)) == (1, [])


def test_every_table_of_a_submission_is_archived_or_named_as_derived():
    """What hangs on a submission only by another of its tables would be lost."""
    archived = set(archive_records.children())
    for table in Base.metadata.tables.values():
        for key in table.foreign_keys:
            if key.column.table in {archive_records.FEEDBACK, *archived} - {table}:
                assert table in archived or table.name in archive_records.DERIVED, table.name
    assert Screenshot.__table__ in archived


def test_a_submission_that_an_act_changed_comes_back_when_the_act_is_gone(make):
    public_id = make()
    with transaction() as session:
        user = User(email="jana@example.org", name="Jana", role="agent")
        session.add(user)
        session.flush()
        author = acts.Author(user.id, user.name)
        ids = [Feedback.by_public_id(session, public_id).id]
        act = acts.begin(session, {"status": "resolved"}, author, NOW)
        acts.carry_out(session, act, ids, author, NOW)
    archive.store(ids, NOW)
    with transaction() as session:
        removal.remove(session, ids)
        session.delete(session.get(acts.Act, act.id))
    assert restoring.restore(Asked(), "Jana").restored == 1
    assert Feedback.by_public_id(db.session(), public_id).status == "resolved"
