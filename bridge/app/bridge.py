"""Bridge: everything that people and the scheduler can ask for."""

from bridge.app.answering import Answering
from bridge.app.checking import Checking
from bridge.app.choosing import Choosing
from bridge.app.instalments import Instalments
from bridge.app.looking import Looking
from bridge.app.plan_files import PlanFiles
from bridge.app.planning import Planning


class Bridge(Checking, Planning, PlanFiles, Choosing, Instalments, Looking, Answering):
    """One opened installation with all use cases; each is described where it is defined.

    Every method that changes something records the actor. All of them may be called from several threads.
    """
