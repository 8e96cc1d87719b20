"""What an account can do is asked of its provider, and a bad moment of that is not remembered."""

from types import SimpleNamespace

from bridge.app.dunning import Dunning
from bridge.contract import Act, Connector, Health, RetryLater


class Provider(Connector):
    """Answers its checks one after the other."""

    acts = frozenset({Act.CREATE, Act.COMPLETE, Act.SEND_EMAIL})
    pull = look = None

    def __init__(self, *answers):
        self.answers = list(answers)

    def check(self):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class House(Dunning):
    """As much of an opened installation as asking needs."""

    def __init__(self, *answers):
        places = SimpleNamespace(note=True, tag=True, customer_note=True)
        self.healths, self.channels = {}, {}
        self.connector = Provider(*answers)
        self.config = SimpleNamespace(accounts={"a": SimpleNamespace(write_back=places)})

    def port(self, _account):
        return SimpleNamespace(connector=self.connector)

    def asked(self):
        self._ask(["a"])
        return self.abilities("a").acts


SEEN = Health(ok=True, acts=frozenset({Act.CREATE, Act.SEND_EMAIL}))


def test_an_account_that_works_is_asked_once():
    """What a good check found holds for this process: no later round asks again."""
    house = House(SEEN)
    assert house.asked() == house.asked() == SEEN.acts


def test_a_check_that_saw_nothing_is_not_remembered():
    """The key was refused for a day: what the account can do is not taken for nothing, and the next round asks again."""
    house = House(Health(ok=False), SEEN)
    assert house.asked() == Provider.acts
    assert house.asked() == SEEN.acts


def test_a_provider_that_does_not_answer_is_asked_again():
    """A passing failure leaves the connector's word, and the next round asks again."""
    house = House(RetryLater("no answer"), SEEN)
    assert house.asked() == Provider.acts
    assert house.asked() == SEEN.acts


def test_a_check_with_rights_missing_counts_and_is_asked_again():
    """A check that saw what is missing counts at once; once the rights are given, the next round knows."""
    house = House(Health(ok=False, acts=frozenset({Act.CREATE})), SEEN)
    assert house.asked() == {Act.CREATE}
    assert house.asked() == SEEN.acts
