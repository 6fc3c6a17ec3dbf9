"""People's data: handed over whole, erased everywhere, and still gone when an old copy comes back."""

import gzip
import io
import json
import os
import subprocess
import sys
import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.blueprints.retention import archive, privacy_erase
from app.blueprints.retention import restore as restoring
from app.blueprints.retention.privacy_export import export
from app.clock import utc_now
from app.database.transactions import transaction
from app.errors import ClientError
from app.extensions import db
from app.jobs import run_at_start
from app.models import (
    AuditEntry,
    DailyCount,
    Erasure,
    Feedback,
    SavedView,
    audit_chain,
    hold,
)
from app.models.erasure import Person, is_certificate
from app.models.hold import Terms
from app.storage import storage
from tests.faults.victim import let_sent_statements_end

JANA = Person("email", "jana@example.org")
ROUNDS = int(os.environ.get("PROVE_KILLS", "3"))


def left():
    found = sorted(filter(None, db.session.scalars(select(Feedback.reporter_email))))
    db.session.rollback()  # others write next, and this reader would not see it
    return found


def blobs(kind):
    return [blob.key for blob in storage().list_keys(kind)]


def everything_stored():
    """Every byte of the blob store, archives unpacked."""
    found = []
    for blob in storage().list_keys():
        data = storage().get(blob.key)
        found.append(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
    return b"\n".join(found)


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ({"email": " JANA@example.org "}, 2),
        ({"session": "s-1"}, 1),
        ({"reporter": "r-1"}, 1),
        ({"email": "nobody@example.org"}, 0),
    ],
    ids=str,
)
def test_a_preview_counts_what_an_erasure_removes(people, given, count):
    found = privacy_erase.preview(Person.of(given))
    assert found.submissions == count
    assert found.rows.get("feedback_screenshots", 0) == min(count, 1)
    assert left().count("otto@example.org") == 1


@pytest.mark.parametrize(
    "given", [{}, {"email": "a@b", "session": "s"}, {"email": "nobody"}, {"session": "x" * 301}], ids=str
)
def test_a_person_is_named_in_one_way(given):
    with pytest.raises(ClientError) as refused:
        Person.of(given)
    assert refused.value.details


def test_an_erasure_takes_everything_of_one_person_and_nothing_of_another(people, make_user):
    admin = make_user()
    with transaction() as session:
        session.add(SavedView(user_id=admin.id, name="Jana", query="reporter=jana%40example.org"))
        session.add(SavedView(user_id=admin.id, name="Bugs", query="category=bug"))
    found = privacy_erase.preview(JANA)
    assert (found.submissions, found.archived, found.held) == (2, 2, 0)
    assert [one.name for one in found.named] == ["Jana"]
    done = privacy_erase.erase(JANA, utc_now())
    assert done.removed["submissions"] == 2
    assert done.removed["feedback_screenshots"] == 1
    assert (done.removed["archived"], done.removed["saved_views"]) == (2, 1)
    assert left() == ["otto@example.org"]
    assert len(blobs("screenshots")) == 2, "Otto's picture and its thumbnail"
    assert b"jana" not in everything_stored().lower()
    assert b"otto@example.org" in everything_stored()
    assert db.session.scalars(select(SavedView.name)).all() == ["Bugs"]
    assert db.session.scalar(select(func.sum(DailyCount.submissions))) == 1
    assert privacy_erase.preview(JANA).is_empty


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_nothing_is_left_in_the_file_of_the_database(people, settings):
    privacy_erase.erase(JANA, utc_now())
    data = b"".join(path.read_bytes() for path in settings.instance_path.glob("earmark.sqlite3*"))
    assert b"otto@example.org" in data
    assert b"Jana@Example.ORG" not in data


def test_nothing_that_stays_names_the_person(people):
    done = privacy_erase.erase(JANA, utc_now())
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "privacy.erase")).one()
    kept = f"{done.certificate}{done.mark}{entry.details}{entry.target}"
    assert "jana" not in kept.lower()
    assert entry.target == f"erasure:{done.public_id}"
    assert audit_chain.verify().is_intact


def test_a_certificate_is_verifiable_to_the_last_byte(people):
    said = json.loads(privacy_erase.erase(JANA, utc_now()).certificate)
    assert is_certificate(said)
    assert said["removed"]["submissions"] == 2
    for name in said:
        assert not is_certificate({**said, name: "other"}), name
    assert not is_certificate({**said, "removed": {**said["removed"], "submissions": 3}})


def test_a_held_submission_stops_an_erasure_before_anything_goes(people):
    with transaction() as session:
        found = session.get_one(Feedback, people["jana2"])
        hold.place(session, found, Terms(reason="Asked for by counsel", placed_by="Jana"), utc_now())
    with pytest.raises(ClientError, match="Asked for by counsel") as refused:
        privacy_erase.erase(JANA, utc_now())
    assert (refused.value.status, refused.value.code) == (409, "held")
    assert len(left()) == 3
    assert blobs("erasures") == []
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "privacy.erase")).one()
    assert entry.outcome == "refused"


def test_an_archive_that_comes_back_brings_no_erased_person_back(people):
    parts = {key: storage().get(key) for key in blobs("archives")}
    query = select(archive.ArchivePart)
    before = [vars(part) for part in archive.parts(query)]
    privacy_erase.erase(JANA, utc_now())
    assert restoring.restore(restoring.Asked(), "Jana").restored == 1
    assert left() == ["otto@example.org"] * 2
    # Somebody puts yesterday's archive back, blobs and rows.
    with transaction() as session:
        for part in archive.parts(query):
            archive.rows.drop(session, part)
    for key, data in parts.items():
        storage().put(key + "-again" if not key.endswith(".gz") else key, data)
    with transaction() as session:
        for values in before:
            names = set(archive.ArchivePart.__table__.c.keys()) - {"id", "public_id"}
            made = archive.ArchivePart(**{name: values[name] for name in names})
            lines = list(archive.lines_of(made))
            archive.rows.add(session, made, archive._index(lines))
    done = restoring.restore(restoring.Asked(), "Jana")
    assert (done.restored, done.erased) == (0, 2)
    assert left() == ["otto@example.org"] * 2


def test_what_the_person_sends_afterwards_is_kept(people, plant):
    privacy_erase.erase(JANA, utc_now())
    plant(-1, reporter_email="jana@example.org")
    privacy_erase.carry_out_erasures()
    assert "jana@example.org" in left()


def test_an_erasure_survives_a_new_secret_key(people, make_app, settings):
    privacy_erase.erase(JANA, utc_now())
    rotated = make_app(secret_key="another-" + "y" * 40, secret_key_fallbacks=(settings.secret_key,))
    with rotated.app_context():
        moment = utc_now() - timedelta(days=3)
        assert privacy_erase.is_erased({"reporter_email": "Jana@example.org"}, moment)
        assert not privacy_erase.is_erased({"reporter_email": "otto@example.org"}, moment)


KILLED = """
import os, signal, sys, threading, time
from app import create_app
from app.clock import utc_now
from app.blueprints.retention import privacy_erase
from app.models.erasure import Person
app = create_app()
with app.app_context():
    privacy_erase.BATCH = 1
    after = float(sys.argv[1])
    threading.Thread(
        target=lambda: (time.sleep(after), os.kill(os.getpid(), signal.SIGKILL)), daemon=True
    ).start()
    privacy_erase.erase(Person("email", "jana@example.org"), utc_now())
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.timeout(120 + 20 * ROUNDS)
def test_an_erasure_that_is_killed_is_whole_after_the_next_start(people, plant, app, environment):
    for number in range(ROUNDS):
        for day in range(12):
            plant(day, picture=100, reporter_email="jana@example.org")
        db.session.remove()
        stones = len(blobs("erasures"))
        command = [sys.executable, "-c", KILLED, str(0.02 * (number + 1))]
        assert subprocess.run(command, env=environment, check=False).returncode == -9
        let_sent_statements_end()
        before = left().count("jana@example.org")
        begun = len(blobs("erasures")) > stones
        db.session.remove()
        run_at_start(app)
        if begun:
            assert left() == ["otto@example.org"], before
            assert len(blobs("screenshots")) == 2
            assert db.session.scalar(select(func.sum(DailyCount.submissions))) == 1
            unfinished = select(func.count()).select_from(Erasure).where(Erasure.finished_at.is_(None))
            assert db.session.scalar(unfinished) == 0
        else:
            assert before >= 12, "killed before it began: nothing is gone"
    assert audit_chain.verify().is_intact


def unzip(data):
    file = zipfile.ZipFile(io.BytesIO(data))
    return {name: file.read(name) for name in file.namelist()}


def test_an_export_can_be_read_by_a_person_and_by_a_machine(people):
    out = io.BytesIO()
    assert export(JANA, out, utc_now()) == 3
    files = unzip(out.getvalue())
    said = json.loads(files["data.json"])
    assert [one["where"] for one in said["submissions"]] == ["inbox", "inbox", "archive"]
    assert [len(one["pictures"]) for one in said["submissions"]] == [1, 0, 0]
    assert files[said["submissions"][0]["pictures"][0]] == b"x" * 900
    page = files["index.html"].decode()
    assert "from the archive" in page
    assert 'src="pictures/' in page
    assert "otto" not in page + files["data.json"].decode()
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "privacy.export")).one()
    assert "jana" not in entry.details


def test_hostile_words_are_only_ever_text_in_an_export(plant):
    plant(1, reporter_email="jana@example.org", description="<script>alert(1)</script>", url='"><img src=x>')
    out = io.BytesIO()
    export(JANA, out, utc_now())
    page = unzip(out.getvalue())["index.html"].decode()
    assert "<script" not in page
    assert "<img src=x" not in page


def run(app, *words, code=0, **options):
    done = app.test_cli_runner().invoke(args=["privacy", *words], **options)
    assert done.exit_code == code, done.output
    return done.output


def test_the_commands_count_hand_over_erase_and_prove(people, app, tmp_path):
    whom = ("--email", "jana@example.org")
    assert json.loads(run(app, "erase", *whom, "--dry-run", "--json"))["submissions"] == 2
    file = tmp_path / "jana.zip"
    assert "Wrote 3 submissions" in run(app, "export", *whom, "--output", str(file))
    assert "data.json" in unzip(file.read_bytes())
    assert "is there already" in run(app, "export", *whom, "--output", str(file), code=1)
    run(app, "erase", *whom, input="n\n", code=1)
    assert run(app, "erasures") == "Nobody was erased.\n"
    said = json.loads(run(app, "erase", *whom, "--yes", "--json"))
    certificate = tmp_path / "certificate.json"
    certificate.write_text(run(app, "certificate", said["id"]))
    assert f"Certificate {said['id']} holds: 2 submissions erased" in run(app, "verify", str(certificate))
    certificate.write_text(certificate.read_text().replace('"submissions": 2', '"submissions": 3'))
    assert "it was changed" in run(app, "verify", str(certificate), code=1)
    assert said["id"] in run(app, "erasures")
    assert "tombstone" in run(app, "erase", *whom, "--dry-run")


def test_wrong_words_are_refused_and_each_command_has_an_example(app):
    for words, code in [
        (("erase", "--yes"), 2),
        (("erase", "--email", "x", "--yes"), 2),
        (("export", "--email", "a@b", "--session", "s"), 2),
        (("certificate", "nothing"), 1),
        (("verify", "nowhere.json"), 2),
        (("verify", __file__), 1),
    ]:
        assert "Traceback" not in run(app, *words, code=code)
    for command in ("export", "erase", "erasures", "certificate", "verify"):
        assert f"Example: earmark privacy {command}" in run(app, command, "--help")
