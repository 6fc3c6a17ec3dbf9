"""Any policies and rows: the sweep does what a naive reference in Python says, and what the plan says."""

import os
import random

import pytest
from sqlalchemy import select

from app.blueprints.retention import plan as plans
from app.blueprints.retention import sweep
from app.blueprints.retention.wanted import How, Wanted
from app.database.transactions import transaction
from app.extensions import db
from app.models import BlobOutbox, Feedback, Project, RetentionPolicy
from app.models.forgetting import EMPTY
from app.models.retention import ACTIONS, FIELDS
from tests.blueprints.retention.conftest import NOW, there
from tests.blueprints.retention.reference import carry_out
from tests.faults import audit

ROUNDS = int(os.environ.get("PROVE_POLICIES", "3"))
SEED = int(os.environ.get("PROVE_SEED", "20261128"))
STATUSES = ("open", "resolved", "spam")
CATEGORIES = ("bug", "idea")


def some_rows(chance, plant, projects):
    for _ in range(60):
        days = chance.choice([0, 1, 5, 10, 10, 20, 40]) + chance.choice([0, 0, chance.random()])
        plant(
            days,
            changed=days * chance.random(),
            picture=chance.choice([0, 0, 40, 90]),
            project_id=chance.choice(projects),
            category=chance.choice(CATEGORIES),
            status=chance.choice(STATUSES),
            rating=chance.choice([None, 1, 5]),
            held=False,
            is_read=chance.random() < 0.5,
            is_archived=chance.random() < 0.3,
            reporter_email=chance.choice([None, "jana@example.org"]),
            session_id=chance.choice([None, "s-1"]),
            user_agent=chance.choice([None, "Mozilla"]),
            api_state=chance.choice([None, {"cart": 3}]),
            description="x" * chance.randrange(1, 60),
        )


def some_policies(chance, projects):
    made = []
    for number in range(chance.randrange(1, 9)):
        kept = chance.choice(["keep_days", "keep_days", "keep_submissions", "keep_bytes"])
        policy = RetentionPolicy(
            name=f"Policy {number}",
            project_id=chance.choice([None, *projects]),
            category=chance.choice([None, None, *CATEGORIES]),
            status=chance.choice([None, *STATUSES]),
            query=chance.choice([None, None, None, "rating:1"]),
            since=chance.choice(["created", "changed"]),
            action=chance.choice(["delete", *ACTIONS]),
            **{kept: {"keep_days": [1, 5, 10, 30], "keep_submissions": [0, 1, 5, 20],
                      "keep_bytes": [1, 200, 1000]}[kept][chance.randrange(3)]},
        )  # fmt: skip
        if policy.action == "anonymise":
            policy.fields = sorted(chance.sample(FIELDS, chance.randrange(1, 4)))
        if not any(policy.rule().ties(other.rule()) for other in made):
            made.append(policy)
    return made


def rows():
    found = db.session.scalars(select(Feedback).order_by(Feedback.id)).unique().all()
    for row in found:
        _ = row.screenshot
    db.session.expunge_all()
    db.session.rollback()
    return found


def emptied(fields):
    return {name: value for field in fields for name, value in EMPTY[field].items()}


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_sweep_does_what_a_naive_reference_says_and_the_plan_said(
    context, plant, project, policies, number
):
    chance = random.Random(SEED + number)
    with transaction() as session:
        other = Project(name="Other")
        session.add(other)
        session.flush()
        projects = [project.id, other.id]
    some_rows(chance, plant, projects)
    policies()
    with transaction() as session:
        made = some_policies(chance, projects)
        session.add_all(made)
        session.flush()
        rules = [policy.rule() for policy in made]
    before = rows()
    expected = carry_out(before, rules, NOW)
    planned = plans.draw(db.session(), Wanted(), NOW)
    db.session.rollback()

    done = sweep.run(Wanted(), How(trigger="command", force=True), NOW)

    assert there() == {row.id for row in before} - expected.deleted
    after = {row.id: row for row in rows()}
    assert {row.id for row in before if row.id in after and row.has_screenshot} - {
        id_ for id_, row in after.items() if row.has_screenshot
    } == expected.dropped
    for row in before:
        if row.id in after:
            taken = emptied(expected.anonymised.get(row.id, ()))
            for name in emptied(FIELDS):
                assert getattr(after[row.id], name) == taken.get(name, getattr(row, name)), name
    by_action = {
        action: sum(line.rows for line in planned.lines if line.rule.action == action) for action in ACTIONS
    }
    assert by_action["delete"] == len(expected.deleted) == done.submissions
    assert by_action["drop_screenshots"] == len(expected.dropped)
    assert done.changed == planned.changed
    assert (done.screenshots, done.freed_bytes) == (planned.screenshots, planned.bytes)
    assert audit.wrong_counts(audit.rows()) == {"daily_counts": {}, "stored_bytes": {}}
    assert audit.orphans(audit.rows()) == []
    assert db.session.scalars(select(BlobOutbox)).all() == []
    again = plans.draw(db.session(), Wanted(), NOW)
    assert again.submissions == 0, "a second run finds nothing that policies by age or number leave"
