"""Pages of other people on another origin, as hard on a widget as real ones are."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BODY = """<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>Host</title>
<link rel="stylesheet" href="/host.css"></head><body>
<main><h1>Orders</h1><p>Nothing here is ours.</p>
<p><label>Password <input id="secret" type="password" value="hunter2-very-secret"></label></p>
<p><label>Name <input value="Marta"></label></p></main>
{tag}</body></html>"""

PLAIN = "main { margin: 120px 40px; font: 16px/24px sans-serif } h1 { color: #14532d }"
# What ruins a widget that lives in the page's own tree.
HOSTILE = (
    PLAIN
    + """
* { all: unset !important; }
* { display: block !important; position: static !important; color: red !important; opacity: .5 !important;
    transform: rotate(3deg) !important; font-size: 40px !important; z-index: -1 !important; }
html, body, head ~ * { visibility: visible !important; }
div, dialog, button, textarea { width: 10px !important; pointer-events: none !important; }
"""
)


class Host:
    """A web server of its own origin; `pages` maps a path to body, media type and headers."""

    def __init__(self, pages: Mapping[str, tuple[str, str, Mapping[str, str]]]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body, media_type, headers = pages.get(self.path, ("", "text/plain", {}))
                data = body.encode()
                self.send_response(200 if self.path in pages else 404)
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(len(data)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@contextmanager
def serving(host: Host) -> Iterator[str]:
    """Serve a host's pages for the body."""
    thread = threading.Thread(target=host.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield host.url
    finally:
        host.server.shutdown()
        host.server.server_close()
        thread.join()


def page_host(
    earmark: str, key: str, *, css: str = PLAIN, policy: str | None = None, language: str = "en"
) -> Host:
    """A page with the script tag; `policy` is its Content-Security-Policy."""
    tag = f'<script src="{earmark}/widget.js" data-project="{key}" async></script>'
    headers = {} if policy is None else {"Content-Security-Policy": policy}
    return Host(
        {
            "/": (BODY.format(tag=tag, language=language), "text/html; charset=utf-8", headers),
            "/host.css": (css, "text/css", {}),
            "/favicon.ico": ("", "image/x-icon", {}),
        }
    )


def strict_policy(earmark: str, pictures: str) -> str:
    """A policy that allows the page itself and Earmark's origin, nothing inline."""
    return (
        f"default-src 'none'; script-src 'self' {earmark}; style-src 'self' {earmark}; "
        f"connect-src 'self' {earmark}; img-src {pictures}; base-uri 'none'; form-action 'self'"
    )


def frame_host(inner: str) -> Host:
    """A page that holds another origin's page in a frame."""
    body = (
        '<!doctype html><html lang="en"><head><title>Outer</title></head><body>'
        f'<iframe title="Partner" src="{inner}/" width="1100" height="700"></iframe></body></html>'
    )
    return Host({"/": (body, "text/html; charset=utf-8", {}), "/favicon.ico": ("", "image/x-icon", {})})
