"""On what kind of file system a path lies, by the kernel's table of mounts: a database file needs a disk of this machine."""

import re
from pathlib import Path, PurePosixPath

TABLE = Path("/proc/self/mountinfo")

NETWORK = frozenset({
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "beegfs", "gpfs", "davfs", "vboxsf",
    "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.rclone", "fuse.s3fs", "fuse.gcsfuse", "fuse.davfs2", "fuse.smbnetfs",
    "fuse.vmhgfs-fuse",
})  # fmt: skip
"""Types whose locks or shared memory do not hold as SQLite needs them (https://sqlite.org/wal.html: not over a network file system)."""

_ESCAPED = re.compile(r"\\([0-7]{3})")


def network_mount(path: Path, table: str) -> tuple[str, str] | None:
    """Return mount point and type of the network file system that `path` (absolute) lies on, None where it lies on another one.

    `table` is as `/proc/self/mountinfo` has it (proc_pid_mountinfo(5)): the longest mount point above the path counts, of equal ones
    the last, which hides the others. Lines of another shape are passed over.
    """
    found: tuple[str, str] | None = None
    longest = 0
    for line in table.splitlines():
        before, dash, after = line.partition(" - ")
        fields, kind = before.split(" "), after.partition(" ")[0]
        if not dash or len(fields) < 6:
            continue
        point = _ESCAPED.sub(lambda one: chr(int(one[1], 8)), fields[4])
        if len(point) >= longest and PurePosixPath(path).is_relative_to(point):
            found, longest = (point, kind), len(point)
    return found if found and found[1] in NETWORK else None


def network_disk(path: Path) -> tuple[str, str] | None:
    """Return as `network_mount` for a path of this machine; None also where the system has no such table."""
    try:
        return network_mount(path.resolve(), TABLE.read_text("utf-8", "surrogateescape"))
    except OSError:
        return None
