"""Our own people, as far as a provider or the configuration names them for a customer."""

from bridge.model.base import Frozen


class Colleague(Frozen):
    """One of our own people who looks after a customer (Kundenbetreuer); the sales representative is the account owner."""

    email: str
    name: str = ""
    sales_rep: bool = False
