"""The floors of docs/architecture.md: what may import what."""

import ast
from pathlib import Path

import pytest

APP = Path("app")
BLUEPRINTS = ("intake", "admin", "operations", "performance", "retention")
PORTS = ("app.storage", "app.jobs", "app.static_files", "app.limits_storage")
BASE = ("app.config", "app.errors", "app.clock", "app.version")


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{name.name}" for name in node.names)
    return {name for name in found if name == "app" or name.startswith("app.")}


def modules(folder: str) -> list[Path]:
    return sorted(path for path in (APP / folder).rglob("*.py"))


def begins(name: str, *prefixes: str) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


@pytest.mark.parametrize("path", modules("database"), ids=str)
def test_the_database_floor_knows_none_of_our_tables(path):
    outside = {name for name in imports_of(path) if not begins(name, "app.database", *BASE)}
    assert outside - {"app"} == set()


@pytest.mark.parametrize("path", modules("models"), ids=str)
def test_models_know_no_request_and_no_blueprint(path):
    allowed = ("app.models", "app.database", "app.extensions", *BASE)
    assert {n for n in imports_of(path) if not begins(n, *allowed)} - {"app"} == set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "flask":
            assert not {name.name for name in node.names} & {"request", "session", "render_template"}


@pytest.mark.parametrize("feature", [name for name in BLUEPRINTS if (APP / "blueprints" / name).exists()])
def test_no_blueprint_imports_a_sibling(feature):
    siblings = [f"app.blueprints.{other}" for other in BLUEPRINTS if other != feature]
    for path in modules(f"blueprints/{feature}"):
        assert not {name for name in imports_of(path) if begins(name, *siblings)}, path


@pytest.mark.parametrize("name", PORTS + BASE)
def test_ports_and_base_import_no_blueprint(name):
    path = Path(name.replace(".", "/") + ".py")
    assert not {found for found in imports_of(path) if begins(found, "app.blueprints")}


def test_only_the_settings_read_the_environment():
    readers = {
        str(path)
        for path in APP.rglob("*.py")
        if "os.environ" in path.read_text("utf-8") or "getenv" in path.read_text("utf-8")
    }
    # The server hands the command line's values to its children by the environment.
    assert readers <= {"app/config.py", "app/blueprints/operations/server.py"}
