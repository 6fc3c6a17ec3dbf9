"""Earmark: feedback with marked-up, redacted screenshots."""

from collections.abc import Mapping

from flask_openapi import Info, OpenAPI, SecurityScheme
from sqlalchemy import Engine
from werkzeug.middleware.proxy_fix import ProxyFix

from app import config, errors, jobs, limits_storage, live, security, static_files, storage
from app.blueprints import admin, intake, operations, performance, retention
from app.config import Settings
from app.database.engine import engine_options, prepare
from app.database.gauges import alerts
from app.database.gauges import measure as gauges
from app.database.plans.explain import explain
from app.database.tracking.watch import EXTENSION, Watcher, watch
from app.extensions import db, migrate
from app.models import intake as intake_queue
from app.models.happening import Follower
from app.models.watching import STATISTICS
from app.observability import logging, resources
from app.responses import JsonProvider
from app.routing import LazyRule
from app.validation import refuse
from app.version import VERSION

# Beyond intake's 10 MiB for a submission (app/blueprints/intake/body.py) nothing is ever read.
MAX_BODY_BYTES = 11 * 1024 * 1024
BLUEPRINTS = (intake, admin, operations, performance, retention)


def create_app(settings: Settings | None = None) -> OpenAPI:
    """Build the application from its settings (by default those of the environment).

    Raises ConfigError for an unknown or wrong setting.
    """
    settings = settings or config.load_or_generate()
    app = _bare_app(settings)
    app.extensions["earmark_settings"] = settings
    logging.configure(settings)
    security.init_app(app, settings, access=_access())
    logging.init_app(app)
    errors.init_app(app)
    _open_database(app, settings)
    storage.init_app(app, settings)
    jobs.init_app(app, settings)
    intake_queue.init_app(app)
    _open_live(app, settings)
    limits_storage.init_app(app, settings)
    for package in BLUEPRINTS:
        package.init_app(app)
    static_files.init_app(app, settings.instance_path.resolve() / "static")
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    return app


def _bare_app(settings: Settings) -> OpenAPI:
    app = OpenAPI(
        __name__,
        info=Info(title="Earmark", version=VERSION),
        security_schemes={
            "token": SecurityScheme(type="http", scheme="bearer"),
            "session": SecurityScheme(**{"type": "apiKey", "in": "cookie", "name": "earmark"}),
        },
        validation_error_callback=refuse,
        doc_ui=False,
        static_folder=None,
        instance_path=str(settings.instance_path.resolve()),
    )
    app.url_rule_class = LazyRule
    app.openapi_version = "3.1.1"
    app.json = JsonProvider(app)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    return app


def _access() -> Mapping[str, str]:
    return {endpoint: role for package in BLUEPRINTS for endpoint, role in package.ACCESS.items()}


def _open_database(app: OpenAPI, settings: Settings) -> None:
    url = settings.sqlalchemy_url
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(url)
    settings.instance_path.mkdir(parents=True, exist_ok=True)
    db.init_app(app)
    migrate.init_app(app, db)
    with app.app_context():
        watcher = Watcher(
            db.engine,
            STATISTICS,
            root=app.root_path,
            slow_query_ms=settings.slow_query_ms,
            read_budget_ms=settings.read_budget_ms,
            explain=explain,
        )
        app.extensions[EXTENSION] = watcher
        if settings.query_tracking:
            watch(app, watcher)
        _publish_gauges(app, watcher, settings)
        prepare(db.engine, synchronous=settings.sqlite_synchronous)


def _open_live(app: OpenAPI, settings: Settings) -> None:
    def engine() -> Engine:
        with app.app_context():
            return db.engine

    streams = live.init_app(app, settings, engine, Follower)
    app.extensions[EXTENSION].add_gauge("live", streams.counts)


def _publish_gauges(app: OpenAPI, watcher: Watcher, settings: Settings) -> None:
    instance = settings.instance_path.resolve()
    folders = {
        "database": instance if settings.database_url is None else None,
        "screenshots": instance / "blobs" if settings.storage_url is None else None,
        "logs": instance,
    }
    gauges.publish(watcher)
    alerts.attach(app, watcher)
    resources.publish(watcher, folders)
