"""Bridge: everything that people and the scheduler can ask for."""

from bridge.app.answering import Answering
from bridge.app.backups import Backups
from bridge.app.bundling import Bundling
from bridge.app.caring import Caring
from bridge.app.checking import Checking
from bridge.app.collection import Collection
from bridge.app.evidence import EvidencePackages
from bridge.app.forewarning import Forewarning
from bridge.app.instalments import Instalments
from bridge.app.keeping_keys import KeepingKeys
from bridge.app.looking import Looking
from bridge.app.plan_files import PlanFiles
from bridge.app.previewing import Previewing
from bridge.app.resending import Resending
from bridge.app.restoring import Restoring
from bridge.app.retention import Retaining
from bridge.app.runs import Runs
from bridge.app.tasks import Tasks
from bridge.app.telling import Telling


class Bridge(
    Checking,
    Forewarning,
    Restoring,
    PlanFiles,
    Resending,
    Caring,
    Telling,
    Instalments,
    Tasks,
    Collection,
    Looking,
    Answering,
    EvidencePackages,
    Runs,
    Previewing,
    Bundling,
    Retaining,
    KeepingKeys,
    Backups,
):
    """One opened installation with all use cases; each is described where it is defined.

    Every method that changes something records the actor. All of them may be called from several threads.
    """
