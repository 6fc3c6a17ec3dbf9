import os
import socket
import subprocess
import sys
import time

import pytest

from app import storage as port
from app.storage import BlobMissing, new_key, storage


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture(scope="session")
def s3_server():
    """A real S3 server on the loopback, ended afterwards."""
    at = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(at)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", at), 1).close()
            break
        except OSError:
            assert time.monotonic() < deadline, "the S3 server did not start"
            time.sleep(0.1)
    yield f"http://127.0.0.1:{at}"
    process.terminate()
    process.wait(10)


@pytest.fixture(params=["folder", "s3"])
def context(request, make_app, monkeypatch):
    """An application whose blobs lie in a folder, or in S3 by URL."""
    if request.param == "folder":
        app = make_app()
    else:
        endpoint = request.getfixturevalue("s3_server")
        for name, value in {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        import boto3

        boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1").create_bucket(Bucket="blobs")
        app = make_app(storage_url="s3://blobs")
    with app.app_context():
        yield app


pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_a_blob_comes_back_as_it_was_put(context):
    key = new_key("screenshots")
    data = os.urandom(100_000)
    storage().put(key, data)
    assert storage().get(key) == data
    assert storage().exists(key)
    storage().delete(key)


def test_a_blob_that_is_gone_is_missing_and_may_be_deleted_again(context):
    key = new_key("screenshots")
    storage().put(key, b"x")
    storage().delete(key)
    assert not storage().exists(key)
    with pytest.raises(BlobMissing):
        storage().get(key)
    storage().delete(key)


def test_a_copy_lives_on_when_its_source_is_gone(context):
    source, copy = new_key("screenshots"), new_key("copies")
    storage().put(source, b"picture")
    storage().copy(source, copy)
    storage().delete(source)
    assert storage().get(copy) == b"picture"
    with pytest.raises(BlobMissing):
        storage().copy(source, new_key("copies"))


def test_the_listing_has_key_size_and_age(context):
    keys = [new_key("listed") for _ in range(60)]
    for key in keys:
        storage().put(key, b"abc")
    found = {info.key: info for info in storage().list_keys("listed")}
    assert set(keys) <= set(found)
    assert found[keys[0]].size_bytes == 3
    assert abs(found[keys[0]].modified_at.timestamp() - time.time()) < 60


def test_a_key_cannot_leave_the_folder(make_app):
    app = make_app()
    with app.app_context(), pytest.raises(Exception, match=r"(?i)path|prefix|invalid|blob store"):
        storage().put("../outside", b"x")
    assert not list(app.extensions[port.EXTENSION].folder.parent.glob("outside"))


def test_a_folder_that_cannot_be_written_is_an_os_error(make_app, settings):
    app = make_app()
    folder = app.extensions[port.EXTENSION].folder
    folder.rmdir()
    folder.write_text("a file stands where the folder was")
    with app.app_context(), pytest.raises(OSError, match="blob store"):
        storage().put(new_key("screenshots"), b"x")


def test_keys_are_fresh_and_begin_with_their_kind(app):
    keys = {new_key("screenshots") for _ in range(1000)}
    assert len(keys) == 1000
    assert all(key.startswith("screenshots/") for key in keys)
