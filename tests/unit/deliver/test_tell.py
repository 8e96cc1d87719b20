"""Telling colleagues: a mail of ours after the debtor's, or by itself."""

import pytest

from bridge.contract import Act, Refused, Unclear
from bridge.store.records import NewStep
from tests.unit.deliver.scene import TODAY

AFTER = (Act.MAIL, Act.TELL)


def told(scene, acts=AFTER, **values):
    """A notice of these acts, the one to the colleagues through the mail channel."""
    new = scene.compose(acts, **values)
    steps = tuple(
        NewStep(act=one.act, content=one.content, channel="mail") if one.act is Act.TELL else one for one in new.steps
    )
    return scene.insert(type(new)(**{name: getattr(new, name) for name in new.__slots__} | {"steps": steps}))


def test_colleagues_are_told_after_the_debtor(scene):
    """The mail to the debtor lands the level; then the colleagues get theirs, which raises nothing."""
    notice = told(scene)
    report = scene.deliver()
    assert [one.act for one in scene.mail.sent] == [Act.MAIL, Act.TELL]
    assert (report.landed, scene.states(notice), scene.levels()) == (1, ["done", "done"], {"1": 1})


@pytest.mark.parametrize("error", [Refused("no such address"), Unclear("no answer")])
def test_a_mail_to_colleagues_that_fails_touches_nothing_else(scene, error):
    """Refused or lost, it is left to a person for itself; the level stays and nothing is sent twice."""
    scene.mail.pushes = [None, error]
    notice = told(scene)
    scene.deliver()
    scene.settle()
    assert (scene.states(notice), scene.levels()) == (["done", "parked"], {"1": 1})
    assert [one.act for one in scene.mail.sent] == [Act.MAIL]
    assert scene.get(notice).state == "landed"


def test_a_level_that_only_tells_colleagues_counts_from_their_mail(scene):
    """Without anything for the debtor, the level has happened when the colleagues are told."""
    notice = told(scene, (Act.TELL,), channel="internal")
    scene.deliver()
    assert (scene.get(notice).state, scene.levels()) == ("landed", {"1": 1})
    assert scene.get(notice).claims[0].landed_on == TODAY


def test_a_debtor_who_was_not_reached_is_not_reported_to_colleagues(scene):
    """The mail to the debtor is refused: no colleague hears that it went out."""
    scene.mail.pushes = [Refused("no such address")]
    notice = told(scene)
    scene.deliver()
    assert (scene.mail.sent, scene.states(notice), scene.levels()) == ([], ["parked", "waiting"], {"1": 0})
