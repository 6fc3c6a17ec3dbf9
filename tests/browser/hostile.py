"""Thirty texts that would run if a page took them for markup, and how to store each in every field."""

import base64
import io
import json
import re
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

from PIL import Image

from tests.browser.conftest import DEADLINE_MS
from tests.live import LiveServer

HOSTILE = (
    "<script>hit()</script>",
    "</script><script>hit()</script>",
    "</title><script>hit()</script>",
    "</textarea><script>hit()</script>",
    "<img src=x onerror=hit()>",
    '"><img src=x onerror=hit()>',
    "' onmouseover='hit()' x='",
    '" autofocus onfocus="hit()',
    "<svg onload=hit()>",
    "<svg><script>hit()</script></svg>",
    "<svg><animate onbegin=hit() attributeName=x dur=1s>",
    '<math><mi xlink:href="javascript:hit()">x</mi></math>',
    "<iframe srcdoc='<script>parent.hit()</script>'></iframe>",
    "<iframe src=javascript:hit()></iframe>",
    "<a href=javascript:hit() autofocus>x</a>",
    "javascript:hit()",
    "JaVaScRiPt:hit()",
    "data:text/html,<script>hit()</script>",
    "<body onload=hit()>",
    "<details open ontoggle=hit()>",
    "<video><source onerror=hit()></video>",
    "<input onfocus=hit() autofocus>",
    "<style>*{background:url(javascript:hit())}</style>",
    "<link rel=stylesheet href=data:text/css,*{color:red}>",
    "<base href=https://evil.example/>",
    "<meta http-equiv=refresh content=0;url=javascript:hit()>",
    "<form action=javascript:hit()><button autofocus>x</button></form>",
    "{{7*7}}{% raw %}${7*7}<%= 7*7 %>",
    "<div hx-get=/admin/ hx-trigger=load hx-on:load=hit()>",
    '<template><script>hit()</script></template><noscript><p title="</noscript><img src=x onerror=hit()>">',
)
# What runs counts itself.
HIT = "window.hits = 0; window.hit = () => { window.hits += 1; };"
# Elements and attributes that these texts would become; no page of ours has any.
PLANTED = """document.querySelectorAll(
  "iframe, base, [srcdoc], [onerror], [onload], [onfocus], [onmouseover], [ontoggle], [onbegin], " +
  "[hx-on\\\\:load], [href^='javascript:' i], [action^='javascript:' i], " +
  "meta[content*='javascript' i]").length"""


@dataclass(frozen=True)
class Call:
    """The API of a server, asked as an admin."""

    server: LiveServer
    token: str

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.server.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=DEADLINE_MS / 1000) as answer:
            return json.load(answer)["data"]


def plant(call: Call) -> dict[str, Any]:
    """Store each text in every field that takes one; returns what addresses need to name it."""
    projects = [_project(call, number) for number in range(len(HOSTILE))]
    ids = [_submission(call, project, number) for number, project in enumerate(projects)]
    users = [
        call(
            "POST",
            "/admin/api/users",
            {"email": f"u{number}@example.org", "role": "agent", "name": text[:100]},
        )
        for number, text in enumerate(HOSTILE)
    ]
    for number, text in enumerate(HOSTILE):
        query = urllib.parse.urlencode({"project": projects[number], "q": json.dumps(text)})
        call("POST", "/admin/api/views", {"name": text[:100], "query": query, "is_shared": True})
        call("POST", "/admin/api/tokens", {"name": text[:100], "role": "viewer"})
        macro = {"name": text[:100], "text": text, "is_shared": True, "tags": [text.replace(",", " ")[:40]]}
        call("POST", "/admin/api/macros", macro)
        call("POST", "/admin/api/holds", {"submission": ids[number], "reason": text})
        policy = {"name": text[:100], "project": projects[number], "keep_days": 3000 + number}
        call("POST", "/admin/api/policies", policy | {"action": "delete"})
    duplicate = _submission(call, projects[5], 5)
    call("POST", "/admin/api/feedback/merge", {"ids": [duplicate], "into": ids[5]})
    gone = _person_who_goes(call, projects[5])
    run = call("POST", "/admin/api/retention/runs", {"project": projects[5]})
    return {
        "ids": ids,
        "project": projects[5],
        "submission": ids[5],
        "tag": call("GET", "/admin/api/tags")[5]["id"],
        "macro": call("GET", "/admin/api/macros")[5]["id"],
        "user": users[5]["id"],
        "invitation": urllib.parse.urlsplit(users[5]["link"]).path,
        "erasure": gone,
        "run": run["id"],
        "fingerprint": _a_statement(call),
    }


def _project(call: Call, number: int) -> str:
    text = HOSTILE[number]
    made = {
        "name": text[:100],
        "categories": [{"key": "bug", "label": text[:64]}],
        "consent": text,
        "texts": {"en": {"question.bug": text}},
    }
    return str(call("POST", "/admin/api/projects", made)["key"])


def _submission(call: Call, project: str, number: int) -> str:
    text = HOSTILE[number]
    bare = re.sub(r"[\s@]", "_", text)
    sent = call(
        "POST",
        "/api/feedback",
        {
            "project": project,
            "category": "bug",
            "description": text,
            "url": f"https://shop.example/{bare}?{bare}#{bare}",
            "session_id": text,
            "browser": text,
            "os": text,
            "reporter": {"name": text, "id": text, "email": f"{bare}@shop.example"},
            "api_state": {text: {text: [text]}, "title": text, "console": [text, text]},
            "custom": {text[:64]: text, "release": text},
            "annotation_coords": [{"kind": "text", "points": [[1, 1]], "text": text}],
            "screenshot": PICTURE,
        },
    )
    path = f"/admin/api/feedback/{sent['id']}"
    call("PATCH", path, {"tags": [text.replace(",", " ")[:40]], "admin_notes": text, "assignee": "me"})
    for internal in (False, True):
        call("POST", f"{path}/messages", {"text": text, "internal": internal})
    return str(sent["id"])


def _person_who_goes(call: Call, project: str) -> str:
    person = {"reporter": HOSTILE[4]}
    fields = {"project": project, "category": "bug", "description": "Gone", "reporter": {"id": HOSTILE[4]}}
    call("POST", "/api/feedback", fields)
    held = next(hold for hold in call("GET", "/admin/api/holds?limit=200") if hold["reason"] == HOSTILE[4])
    call("DELETE", f"/admin/api/holds/{held['id']}")
    call("POST", "/admin/api/privacy/erase", person)
    return str(call("GET", "/admin/api/privacy/erasures")[0]["id"])


def _a_statement(call: Call) -> str:
    """Wait until a process has written what it measured; returns the fingerprint of a statement."""
    deadline = time.monotonic() + DEADLINE_MS / 1000
    while not (found := call("GET", "/api/performance/queries")):
        assert time.monotonic() < deadline, "nothing was written"
        time.sleep(0.2)
    return str(found[0]["fingerprint"])


def _picture() -> str:
    file = io.BytesIO()
    Image.new("RGB", (64, 40), "white").save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


PICTURE = _picture()
