"""What one wrong sign in delivery would break, found by making such mistakes on purpose (`make mutants`)."""

import pytest
from sqlalchemy import update

from bridge.contract import Act, NoticeStatus, ProviderNotice, RetryLater, Unclear
from bridge.errors import WrongState
from bridge.store.tables import notice, provider_notice
from tests.unit.deliver.scene import BY_PROVIDER, START, TODAY
from tests.unit.deliver.test_notice import pay
from tests.unit.store.made import batch


def test_what_was_changed_after_the_decision_does_not_go_out(scene):
    """A level that needs no approval sends what was decided and nothing else; changed since, it waits for a person."""
    made = scene.notice()
    with scene.store.begin() as conn:
        conn.execute(update(notice).where(notice.c.id == made).values(total_cents=1))
    scene.deliver()
    assert scene.get(made).state == "proposed"
    assert scene.mail.sent == []


def test_a_level_that_only_proposes_never_goes_out_unapproved(scene):
    """Queued by whatever mistake, without an approval it does not leave."""
    made = scene.notice(automation="propose")
    scene.deliver()
    assert scene.get(made).state == "proposed"
    assert scene.mail.sent == []


def test_a_deleted_draft_holds_its_invoice_no_longer(scene):
    """Our draft is deleted at the provider because its claim was paid: what we know of it says so too."""
    made = scene.notice(BY_PROVIDER)
    scene.provider.pushes = [None, RetryLater("later")]
    scene.deliver()
    draft = scene.get(made).claims[0].reminder_id
    known = ProviderNotice(id=draft, invoice_id="1", level=1, status=NoticeStatus.DRAFT)
    with scene.store.begin() as conn:
        scene.store.mirror.write(conn, "a", batch(notices=[known]), business_date=TODAY, now=START)
    pay(scene, "1")
    scene.clock.pass_(hours=2)
    scene.deliver()
    assert scene.provider.did(Act.DISCARD)
    assert scene.row(provider_notice, id=draft)["status"] == "cancelled"


def test_one_lost_mail_is_one_parked_delivery(scene):
    """The report counts what it parked, once."""
    scene.notice()
    scene.mail.pushes = [Unclear("connection lost")]
    scene.deliver()
    assert sum(one.parked for one in scene.settle()) == 1


def test_only_a_written_letter_can_be_posted(scene):
    """A reminder that was only made at the provider is no letter of ours, whatever a person types."""
    made = scene.notice((Act.CREATE, Act.AMEND), automation="create")
    scene.deliver()
    with pytest.raises(WrongState, match="nothing that waits"):
        scene.deliverer.mark_posted(made, actor="anna")
    assert scene.get(made).state == "waiting"
