"""Keys that seal tokens at rest: shown, changed, forgotten."""

from dataclasses import dataclass

from bridge.app.opening import Opened
from bridge.app.results import Done
from bridge.errors import UsageError


@dataclass(frozen=True, slots=True)
class KeysShown:
    """Which keys there are, by their ids: the one that seals, earlier ones that only open; where the first comes from (`file`, `configuration`)."""

    key: str
    source: str
    earlier: tuple[str, ...]


class KeepingKeys(Opened):
    """What can be done with keys."""

    def keys(self) -> KeysShown:
        """Return the ids of the keys; never a key."""
        return KeysShown(self.vault.key_id, "file" if self.vault.of_file else "configuration", self.vault.earlier)

    def rotate_key(self) -> Done:
        """Make a new key where it is the file's, and seal every token anew; a running service takes the new key by itself.

        Where the key is the configuration's it was changed there: the tokens are sealed with it. Raises `UsageError` where it was not.
        """
        if self.vault.of_file:
            self.vault.rotate()
        elif not self.vault.earlier:
            raise UsageError("the key comes from keys.key; set a new one there and put the old one under keys.previous")
        with self.store.begin() as conn:
            self.record(conn, "key_rotated", data={"key": self.vault.key_id, "earlier": list(self.vault.earlier)})
        resealed, _ = self.store.tokens.reseal()  # broken off, the next process goes on with it
        return Done("key_rotated", self.vault.key_id, self.actor, count=resealed)

    def forget_keys(self) -> Done:
        """Forget the earlier keys: a token that only they open is lost, and the links in mails sent under them end."""
        self.store.tokens.reseal()
        gone = self.vault.earlier
        if not gone:
            raise UsageError("there is no earlier key")
        self.vault.forget()
        with self.store.begin() as conn:
            self.record(conn, "keys_forgotten", data={"keys": list(gone)})
        return Done("keys_forgotten", ", ".join(gone), self.actor, count=len(gone))
