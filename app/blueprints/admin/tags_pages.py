"""Pages of tags: the list with counts, and one tag with what can be done to it."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.blueprints.admin import tags
from app.blueprints.admin.inbox import blueprint
from app.blueprints.admin.wanted import EVERYWHERE, Wanted
from app.blueprints.admin.wording import submissions
from app.errors import ClientError
from app.models import Tag
from app.models.query.tree import Term
from app.models.tag import COLORS
from app.rail import load_rail

# --chart-1 to --chart-8 of tokens.css, as people name them.
COLOR_NAMES = ("Plum", "Blue", "Teal", "Ochre", "Grey", "Rust", "Violet", "Moss")


@blueprint.route("/tags", methods=["GET", "POST"])
def tags_list() -> ResponseReturnValue:
    """List the tags with how many submissions have each; make one."""
    if request.method == "GET":
        return _list_page()
    name = request.form.get("name", "")
    try:
        tags.create(name, None)
    except ClientError as error:
        return _list_page(name, _problem(error)), error.status
    return redirect(url_for("admin.tags_list"), 303)


@blueprint.route("/tags/<public_id>", methods=["GET", "POST"])
def tag(public_id: str) -> ResponseReturnValue:
    """Show one tag; keep another name or colour."""
    if request.method == "GET":
        return _tag_page(public_id)
    name, color = request.form.get("name", ""), request.form.get("color", "")
    if color not in map(str, range(1, COLORS + 1)):
        return _tag_page(public_id, problem="Choose one of the colours.", name=name), 422
    try:
        tags.change(public_id, {"name": name, "color": int(color)})
    except ClientError as error:
        if error.status == 404:
            raise
        return _tag_page(public_id, problem=_problem(error), name=name), error.status
    return redirect(url_for("admin.tag", public_id=public_id, saved=1), 303)


@blueprint.post("/tags/<public_id>/merge")
def merge_tag(public_id: str) -> ResponseReturnValue:
    """Merge a tag into another, and show that one."""
    try:
        into, _moved = tags.merge(public_id, request.form.get("into", ""))
    except ClientError as error:
        if error.status == 404:
            raise
        return _tag_page(public_id, merge_problem="Choose the tag that it becomes."), error.status
    return redirect(url_for("admin.tag", public_id=into.public_id, saved=1), 303)


@blueprint.post("/tags/<public_id>/delete")
def delete_tag(public_id: str) -> ResponseReturnValue:
    """Delete a tag; the submissions stay."""
    tags.delete(public_id)
    return redirect(url_for("admin.tags_list"), 303)


def _list_page(name: str = "", problem: str = "") -> str:
    return render_template(
        "admin/tags.html",
        rail=load_rail("tags"),
        tags=tags.all_tags(),
        name=name,
        problem=problem,
        href=_href,
    )


def _tag_page(public_id: str, *, problem: str = "", merge_problem: str = "", name: str | None = None) -> str:
    found = tags.load(public_id)
    counted = tags.all_tags()
    own = next(each.submissions for each in counted if each.tag.id == found.id)
    return render_template(
        "admin/tag.html",
        rail=load_rail("tags"),
        tag=found,
        name=found.name if name is None else name,
        colors=COLOR_NAMES,
        others=[(each.tag.public_id, each.tag.name) for each in counted if each.tag.id != found.id],
        affected=submissions(own),
        count=own,
        href=_href(found),
        problem=problem,
        merge_problem=merge_problem,
        saved=request.args.get("saved") == "1",
    )


def _href(found: Tag) -> str:
    wanted = Wanted(status=EVERYWHERE, is_archived=EVERYWHERE, q=str(Term("tag", found.name)))
    return url_for("admin.index", **wanted.query())


def _problem(error: ClientError) -> str:
    message = error.details[0].message if error.details else error.message
    return f"{message[:1].upper()}{message[1:]}" + ("" if message.endswith(".") else ".")
