import os
import stat
from pathlib import Path

import pytest

from app import config
from app.config import ConfigError, load

SECRET = {"EARMARK_SECRET_KEY": "s" * 40}


def test_defaults_need_nothing(tmp_path):
    settings = load({"EARMARK_INSTANCE_PATH": str(tmp_path)})
    assert settings.port == 8000
    assert settings.database_url is None
    assert settings.public_url == "http://127.0.0.1:8000"


def test_an_unknown_name_stops_the_start_with_one_line(tmp_path):
    with pytest.raises(ConfigError, match="EARMARK_PROT is not a setting") as caught:
        load({"EARMARK_INSTANCE_PATH": str(tmp_path), "EARMARK_PROT": "1"})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("EARMARK_PORT", "0"),
        ("EARMARK_PORT", "65536"),
        ("EARMARK_PORT", "8000.5"),
        ("EARMARK_PORT", "eighty"),
        ("EARMARK_WORKERS", "0"),
        ("EARMARK_DEMO", "maybe"),
        ("EARMARK_INTAKE_RATE_LIMIT", "five an hour"),
        ("EARMARK_BASE_URL", "help.example.org"),
        ("EARMARK_BASE_URL", "https://example.org/help"),
        ("EARMARK_BASE_URL", "ftp://example.org"),
        ("EARMARK_DATABASE_URL", "mysql://localhost/x"),
        ("EARMARK_REDIS_URL", "localhost:6379"),
        ("EARMARK_SQLITE_SYNCHRONOUS", "OFF"),
        ("EARMARK_TRUSTED_PROXIES", "-1"),
        ("EARMARK_LOG_FORMAT", "xml"),
        ("EARMARK_SECRET_KEY", "short"),
    ],
)
def test_a_wrong_value_stops_the_start_with_one_line_that_names_it(tmp_path, name, text):
    with pytest.raises(ConfigError, match=name) as caught:
        load({"EARMARK_INSTANCE_PATH": str(tmp_path), name: text})
    assert "\n" not in str(caught.value)


def test_a_wrong_secret_is_not_printed(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load({"EARMARK_INSTANCE_PATH": str(tmp_path), "EARMARK_SECRET_KEY": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_the_environment_wins_over_the_instance_file(tmp_path):
    (tmp_path / "earmark.env").write_text("# ours\nEARMARK_PORT=9000\n\nEARMARK_HOST=0.0.0.0\n")
    settings = load({"EARMARK_INSTANCE_PATH": str(tmp_path), "EARMARK_PORT": "9001"})
    assert (settings.port, settings.host) == (9001, "0.0.0.0")
    assert settings.public_url == "http://127.0.0.1:9001"


@pytest.mark.parametrize("line", ["PORT=9000", "EARMARK_PORT", "junk"])
def test_a_line_that_is_no_setting_is_refused(tmp_path, line):
    (tmp_path / "earmark.env").write_text(line + "\n")
    with pytest.raises(ConfigError, match="line 1"):
        load({"EARMARK_INSTANCE_PATH": str(tmp_path)})


def test_secrets_are_generated_once_and_readable_by_the_owner_only(tmp_path):
    folder = tmp_path / "instance"
    config.ensure_secrets(folder, {})
    file = folder / "earmark.env"
    first = file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    config.ensure_secrets(folder, {})
    assert file.read_text() == first
    assert len(load({"EARMARK_INSTANCE_PATH": str(folder)}).secret_key) >= 32


def test_a_secret_from_the_environment_is_not_written(tmp_path):
    config.ensure_secrets(tmp_path / "instance", SECRET)
    assert not (tmp_path / "instance" / "earmark.env").exists()


def test_a_first_start_generates_what_is_missing(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("EARMARK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("EARMARK_INSTANCE_PATH", str(tmp_path))
    first = config.load_or_generate().secret_key
    assert first
    assert config.load_or_generate().secret_key == first


def test_secrets_are_masked_when_shown(tmp_path):
    values = config.shown(load({"EARMARK_INSTANCE_PATH": str(tmp_path), **SECRET}))
    assert values["EARMARK_SECRET_KEY"] == "********"
    assert values["EARMARK_PORT"] == "8000"
    assert values["EARMARK_DEMO"] == "false"


@pytest.mark.parametrize(
    ("base_url", "secure"),
    [
        (None, False),
        ("http://localhost:8000", False),
        ("http://192.168.1.4:8000", True),
        ("https://help.example.org", True),
    ],
)
def test_cookies_are_secure_but_on_plain_loopback(tmp_path, base_url, secure):
    given = {"EARMARK_INSTANCE_PATH": str(tmp_path), "EARMARK_BASE_URL": base_url or ""}
    assert load(given).secure_cookies is secure


def test_hosts_are_those_named_and_the_loopback(tmp_path):
    given = {
        "EARMARK_INSTANCE_PATH": str(tmp_path),
        "EARMARK_BASE_URL": "https://help.example.org",
        "EARMARK_TRUSTED_HOSTS": "a.example.org, b.example.org",
    }
    settings = load(given)
    assert set(settings.hosts) == {
        "help.example.org",
        "127.0.0.1",
        "localhost",
        "::1",
        "a.example.org",
        "b.example.org",
    }


def test_an_ipv6_address_is_bracketed(tmp_path):
    settings = load({"EARMARK_INSTANCE_PATH": str(tmp_path), "EARMARK_HOST": "::1"})
    assert settings.public_url == "http://[::1]:8000"


def test_the_postgresql_url_names_its_driver(tmp_path):
    given = {"EARMARK_INSTANCE_PATH": str(tmp_path), "EARMARK_DATABASE_URL": "postgresql://db/x"}
    assert load(given).sqlalchemy_url == "postgresql+psycopg://db/x"


def test_the_documentation_is_equal_to_the_table():
    text = Path("docs/configuration.md").read_text("utf-8")
    written = [line for line in text.splitlines() if line.startswith("| `EARMARK_")]
    wanted = [
        f"| `{row.name}` | {row.type} | {f'`{row.default}`' if row.default else 'unset'} | {row.help} |"
        for row in config.table()
    ]
    assert written == wanted
