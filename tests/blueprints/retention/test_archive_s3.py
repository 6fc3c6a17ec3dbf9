"""The archive in S3: the same as in a folder."""

import pytest
from sqlalchemy import select

from app.blueprints.retention import archive
from app.blueprints.retention import restore as restoring
from app.clock import utc_now
from app.database.transactions import transaction
from app.extensions import db
from app.models import ArchivePart, Feedback, Project, blob_outbox, removal
from app.models.intake import Blob, submit
from app.storage import new_key, storage
from tests import test_storage
from tests.models.test_intake import submission

s3_server = test_storage.s3_server
PICTURE = bytes(range(256)) * 20


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_archive_in_s3_is_written_checked_brought_back_and_forgotten(make_app, monkeypatch, s3_server):
    for name, value in {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    import boto3

    client = boto3.client("s3", endpoint_url=s3_server, region_name="us-east-1")
    client.create_bucket(Bucket="archives")
    with make_app(storage_url="s3://archives").app_context():
        with transaction() as session:
            project = Project(name="Shop")
            session.add(project)
        db.session.refresh(project)
        db.session.expunge(project)
        db.session.rollback()
        key = new_key("screenshots")
        storage().put(key, PICTURE)
        public_id = submit(submission(project, Blob(key, "image/webp", len(PICTURE)))).public_id
        ids = [Feedback.by_public_id(db.session(), public_id).id]
        db.session.rollback()
        assert archive.store(ids).screenshots == 1
        with transaction() as session:
            removal.remove(session, ids)
        blob_outbox.work_off(storage())
        assert not storage().exists(key)
        assert [fault for _, fault in archive.verify()] == [None]
        assert restoring.restore(restoring.Asked(public_id=public_id), "Jana").restored == 1
        found = Feedback.by_public_id(db.session(), public_id)
        assert storage().get(found.screenshot.blob_key) == PICTURE
        db.session.rollback()
        archive.rewrite(lambda _record: False)
        blob_outbox.work_off(storage())
        assert db.session.scalars(select(ArchivePart)).all() == []
        assert list(storage().list_keys("archives")) == []
        assert archive.expire(utc_now(), 30) == 0
