"""Projects and tokens, by page and by API."""

import pytest

from app.blueprints.admin import settings_answers
from app.blueprints.admin.schemas import Role, Status
from app.blueprints.admin.settings_schemas import Asked, Position, Theme, exact_origin
from app.models import feedback, user
from app.models import project as project_model

one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
PROJECTS, TOKENS = "/admin/api/projects", "/admin/api/tokens"


@pytest.fixture
def api(client, bearer):
    headers = bearer("admin")

    def call(method, path, body=None):
        return client.open(path, method=method, headers=headers, json=body)

    return call


def test_the_words_of_the_api_are_those_of_the_tables():
    assert Status.__args__ == feedback.STATUSES
    assert Role.__args__ == user.ROLES
    assert Asked.__args__ == project_model.ASKED
    assert Theme.__args__ == project_model.THEMES
    assert Position.__args__ == project_model.POSITIONS


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://Shop.example", "https://shop.example"),
        (" https://shop.example/ ", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("http://shop.example:80", "http://shop.example"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
    ],
)
def test_an_origin_is_kept_as_browsers_send_it(given, kept):
    assert exact_origin(given) == kept


@pytest.mark.parametrize(
    "given",
    [
        "",
        "*",
        "shop.example",
        "https://",
        "https://*.shop.example",
        "https://shop.example/path",
        "https://shop.example?x",
        "https://user@shop.example",
        "ftp://shop.example",
        "https://shop.example:99999",
        "https://shop.example:0",
        "https://shop.example:0443",
        "https://bücher.example",
        "https://shop .example",
        "null",
        "javascript:alert(1)",
        "https://[::1",
        "https://-a.example",
    ],
)
def test_what_is_no_exact_origin_is_refused(given):
    with pytest.raises(ValueError, match="origin"):
        exact_origin(given)


def test_a_project_is_made_changed_and_deleted(api):
    made = api("POST", PROJECTS, {"name": "Help", "origins": ["https://help.example"], "byte_quota": None})
    assert made.status_code == 201
    settings_answers.OneProject.model_validate(made.json)
    path = f"{PROJECTS}/{made.json['data']['key']}"
    change = {
        "categories": [{"key": "bug", "label": "Fault"}, {"key": "idea", "label": None}],
        "texts": {"de": {"send": "Ab die Post"}},
        "consent": "We read it.",
        "privacy_url": "https://help.example/privacy",
        "rate_limit": "9 per minute",
        "byte_quota": 1024,
        "locale": "de",
        "ask_rating": True,
    }
    assert api("PATCH", path, change).json["data"].items() >= change.items()
    assert api("PATCH", path, {"consent": None}).json["data"]["consent"] is None
    assert len(api("GET", PROJECTS).json["data"]) == 1
    assert api("DELETE", path).status_code == 200
    assert api("GET", path).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"origins": ["https://a.example/x"]}, "origins.0"),
        ({"origins": ["https://a.example", "https://a.example/"]}, "origins"),
        ({"origins": None}, "origins"),
        ({"categories": []}, "categories"),
        ({"categories": [{"key": "Bug!"}]}, "categories.0.key"),
        ({"categories": [{"key": "a"}, {"key": "a"}]}, "categories"),
        ({"ask_email": "maybe"}, "ask_email"),
        ({"ask_rating": 1}, "ask_rating"),
        ({"theme": "pink"}, "theme"),
        ({"texts": {"xx": {}}}, "texts.xx.[key]"),
        ({"rate_limit": "often"}, "rate_limit"),
        ({"privacy_url": "javascript:alert(1)"}, "privacy_url"),
        ({"byte_quota": -1}, "byte_quota"),
        ({"colour": "red"}, "colour"),
    ],
)
@one_database
def test_a_wrong_setting_is_named(api, project, change, field):
    answer = api("PATCH", f"{PROJECTS}/{project.public_key}", change)
    assert answer.status_code == 422
    assert field in [detail["field"] for detail in answer.json["error"]["details"]]


@one_database
def test_two_projects_cannot_share_a_name(api, project):
    assert api("POST", PROJECTS, {"name": project.name}).status_code == 422
    assert api("PATCH", f"{PROJECTS}/{project.public_key}", {"name": project.name}).status_code == 200


def test_a_project_with_submissions_is_not_deleted(api, project, submit):
    submit()
    answer = api("DELETE", f"{PROJECTS}/{project.public_key}")
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "conflict")


def test_a_token_is_shown_once_and_worth_nothing_when_revoked(api, client):
    made = api("POST", TOKENS, {"name": "export", "role": "viewer"})
    assert made.status_code == 201
    settings_answers.OneNewToken.model_validate(made.json)
    secret = made.json["data"]["token"]
    path = f"{TOKENS}/{made.json['data']['id']}"
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.get("/admin/api/feedback", headers=headers).status_code == 200
    assert client.get(PROJECTS, headers=headers).status_code == 403
    assert secret not in api("GET", TOKENS).text + api("GET", path).text
    assert api("PATCH", path, {"role": "agent", "name": "x"}).json["data"]["effective_role"] == "agent"
    revoked = api("DELETE", path).json["data"]["revoked_at"]
    assert api("DELETE", path).json["data"]["revoked_at"] == revoked
    assert client.get("/admin/api/feedback", headers=headers).status_code == 401


@one_database
def test_a_token_is_never_above_its_user(api, make_user):
    viewer = make_user("viewer")
    body = {"name": "x", "role": "admin", "user": viewer.email}
    assert api("POST", TOKENS, body).json["error"]["details"][0]["field"] == "role"
    assert (
        api("POST", TOKENS, body | {"user": "nobody@example.org"}).json["error"]["details"][0]["field"]
        == "user"
    )
    made = api("POST", TOKENS, body | {"role": "viewer"}).json["data"]
    assert api("PATCH", f"{TOKENS}/{made['id']}", {"role": "agent"}).status_code == 422


def project_form(**changes):
    return {
        "name": "Shop",
        "origins": "https://a.example\r\n\r\nhttps://b.example:8443\r\n",
        "categories": "bug\r\ninvoice = Invoices",
        "ask_name": "no",
        "ask_email": "required",
        "ask_rating": "true",
        "screenshots": "true",
        "is_active": "true",
        "theme": "dark",
        "position": "top-left",
        "locale": "",
        "texts_en": "send = Send it = now",
        "texts_de": "",
        "consent": "",
        "privacy_url": "",
        "rate_limit": "",
        "quota_mb": "1.5",
    } | changes


def test_the_form_of_a_project_keeps_what_the_api_shows(sign_in, project):
    browser = sign_in()
    path = f"/admin/projects/{project.public_key}"
    browser.get(path)
    assert browser.post(path, project_form()).location == f"{path}?saved=1"
    page = browser.get(f"{path}?saved=1").text
    assert "Saved." in page
    assert "invoice = Invoices" in page
    kept = browser.client.get(f"{PROJECTS}/{project.public_key}").json["data"]
    assert kept["origins"] == ["https://a.example", "https://b.example:8443"]
    assert kept["categories"] == [{"key": "bug", "label": None}, {"key": "invoice", "label": "Invoices"}]
    assert kept["texts"] == {"en": {"send": "Send it = now"}}
    assert (kept["byte_quota"], kept["locale"], kept["ask_rating"]) == (1572864, None, True)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": " "}, 'id="name-said"'),
        ({"origins": "https://a.example\nhttps://b.example/x"}, "Line 2: https://b.example/x is no origin"),
        ({"categories": ""}, 'id="categories-said"'),
        ({"texts_en": "send"}, "has no equals sign"),
        ({"texts_de": "Send! = x"}, 'id="texts_de-said"'),
        ({"quota_mb": "much"}, "Write a number of megabytes"),
        ({"quota_mb": "-1"}, 'id="quota_mb-said"'),
        ({"rate_limit": "often"}, "written like"),
        ({"theme": "pink"}, 'id="theme-said"'),
    ],
)
@one_database
def test_a_wrong_form_keeps_what_was_typed_and_says_why(sign_in, project, change, words):
    browser = sign_in()
    path = f"/admin/projects/{project.public_key}"
    browser.get(path)
    answer = browser.post(path, project_form(consent="Typed words.", **change))
    assert answer.status_code == 422
    assert words in answer.text
    assert "Typed words." in answer.text
    assert browser.client.get(f"{PROJECTS}/{project.public_key}").json["data"]["consent"] is None


@one_database
def test_projects_are_made_and_their_key_changed_by_page(sign_in, project):
    browser = sign_in()
    browser.get("/admin/projects")
    made = browser.post("/admin/projects", {"name": "Second"})
    assert made.status_code == 303
    for name, words in (("Second", "Another project has this name."), ("", "at least 1 character")):
        browser.get("/admin/projects")
        assert words in browser.post("/admin/projects", {"name": name}).text
    browser.get(made.location)
    rotated = browser.post(f"{made.location}/rotate-key", {}).location
    assert not rotated.startswith(made.location)
    assert browser.get(made.location).status_code == 404
    assert browser.get(rotated).status_code == 200


@one_database
def test_tokens_are_made_and_revoked_by_page(sign_in):
    browser = sign_in()
    browser.get("/admin/tokens")
    made = browser.post("/admin/tokens", {"name": "export", "role": "viewer", "user": "admin@example.org"})
    assert made.status_code == 201
    assert ">em_" in made.text
    page = browser.get("/admin/tokens").text
    assert ">em_" not in page
    revoke = page.split('action="')[2].split('"')[0]
    assert browser.post(revoke, {}).location == "/admin/tokens"
    assert "revoked" in browser.get("/admin/tokens").text
    for form in (
        {"name": "", "role": "viewer"},
        {"name": "x", "role": "boss"},
        {"name": "x", "role": "viewer", "user": "no@x"},
    ):
        browser.get("/admin/tokens")
        assert browser.post("/admin/tokens", {"user": "admin@example.org"} | form).status_code == 422


@one_database
def test_the_form_of_a_project_refuses_the_name_of_another(sign_in, api, project):
    api("POST", PROJECTS, {"name": "Taken"})
    browser = sign_in()
    path = f"/admin/projects/{project.public_key}"
    browser.get(path)
    answer = browser.post(path, project_form(name="Taken"))
    assert answer.status_code == 422
    assert "Another project has this name." in answer.text
