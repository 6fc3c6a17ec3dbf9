from types import SimpleNamespace

import pytest

from app import static_files
from app.static_files import build_id, publish, static_url


def fetch(client, address, **headers):
    """Get a static file and close it."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    with client.get(address, headers=names) as response:
        return SimpleNamespace(
            status_code=response.status_code, headers=response.headers, data=response.get_data()
        )


pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_static_files_are_immutable_compressed_and_open_to_every_origin(client):
    address = static_url("vendor/snapdom-3.1.1/snapdom.mjs")
    response = fetch(client, address, Accept_Encoding="br")
    assert response.status_code == 200
    assert response.headers["Content-Encoding"] == "br"
    assert "immutable" in response.headers["Cache-Control"]
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert len(response.data) < 90_000


def test_the_widgets_entry_has_one_address_and_knows_its_build(client):
    response = fetch(client, "/widget.js")
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "public, max-age=300"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert build_id().encode() in response.data
    assert static_files.BUILD_MARK.encode() not in response.data
    again = fetch(client, "/widget.js", If_None_Match=response.headers["ETag"])
    assert again.status_code == 304


def test_an_earlier_build_stays_published(make_app, settings):
    folder = settings.instance_path / "static"
    earlier = folder / "0123456789ab" / "css"
    earlier.mkdir(parents=True)
    (earlier / "tokens.css").write_text(":root {}")
    response = fetch(make_app().test_client(), "/static/0123456789ab/css/tokens.css")
    assert response.status_code == 200


def test_only_the_newest_builds_are_kept(settings):
    folder = settings.instance_path / "builds"
    for n in range(8):
        (folder / f"old{n}").mkdir(parents=True)
    publish(folder)
    assert (folder / build_id()).is_dir()
    assert len(list(folder.iterdir())) == static_files.KEPT_BUILDS


def test_a_file_that_is_not_there_has_no_address(app):
    with pytest.raises(FileNotFoundError):
        static_url("css/nothing.css")


def test_there_is_no_way_out_of_the_folder(client):
    for path in ("/static/../earmark.env", f"/static/{build_id()}/../../earmark.env", "/static/earmark.env"):
        assert fetch(client, path).status_code in (400, 404)
