"""A database file on another machine's disk is found by the kernel's table of mounts."""

from pathlib import Path

import pytest

from bridge.app import mounts
from bridge.app.mounts import network_disk, network_mount

TABLE = r"""21 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
22 21 0:40 / /mnt/share rw,relatime shared:2 - nfs4 nas:/export rw,vers=4.2
23 22 8:1 / /mnt/share/local rw - xfs /dev/sda1 rw
24 21 0:41 / /mnt/my\040share rw - cifs //nas/x rw
25 21 0:42 / /data rw shared:5 master:3 - ext4 /dev/vdb rw
26 25 0:43 / /data rw - fuse.sshfs host:/x rw
27 21 0:44 / /over rw - overlay overlay rw
this is no line of a table
28 21 0:45 / /cut
"""


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/var/lib/mahnbridge/mahnbridge.db", None),
        ("/mnt/share/mahnbridge.db", ("/mnt/share", "nfs4")),
        ("/mnt/share", ("/mnt/share", "nfs4")),
        ("/mnt/shared/mahnbridge.db", None),
        ("/mnt/share/local/mahnbridge.db", None),
        ("/mnt/my share/a/b.db", ("/mnt/my share", "cifs")),
        ("/data/mahnbridge.db", ("/data", "fuse.sshfs")),
        ("/over/data/x.db", None),
    ],
)
def test_the_longest_mount_point_above_the_file_decides(path, found):
    """Also one with a space, one mounted over another, and a local disk within a share; a name that only begins alike does not."""
    assert network_mount(Path(path), TABLE) == found


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs"])
def test_the_common_kinds(kind):
    """Each is one on which SQLite's locks or shared memory do not hold."""
    assert network_mount(Path("/a/b"), f"1 0 0:1 / / rw - {kind} x rw\n") == ("/", kind)


def test_a_system_without_such_a_table(monkeypatch, tmp_path):
    """Nothing is found, and nothing fails; a link is followed to where the file really lies."""
    monkeypatch.setattr(mounts, "TABLE", tmp_path / "none")
    assert network_disk(tmp_path) is None
    table = tmp_path / "mountinfo"
    table.write_text(f"1 0 0:1 / / rw - ext4 x rw\n2 1 0:2 / {tmp_path.resolve()}/there rw - smb3 x rw\n", "utf-8")
    (tmp_path / "there").mkdir()
    (tmp_path / "here").symlink_to(tmp_path / "there")
    monkeypatch.setattr(mounts, "TABLE", table)
    assert network_disk(tmp_path / "here" / "x.db") == (f"{tmp_path.resolve()}/there", "smb3")
