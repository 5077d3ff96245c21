"""Landlock, by which a process gives up files and connections (Linux 5.13 and later; docs.kernel.org/userspace-api)."""

import ctypes
import os
import struct
from collections.abc import Sequence

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1
_RULE_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_READING = _EXECUTE | _READ_FILE | _READ_DIR
# Every right over files that the first version knows, and those that the second, third and fifth added.
_FILES = (1 << 13) - 1
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
# Of a file that is no directory, only these rights may be named.
_OF_A_FILE = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_TCP = 3
_TCP_SINCE = 4


def lock_files(readable: Sequence[str], listable: Sequence[str], writable: Sequence[str]) -> bool:
    """Leave this process, and what it becomes, these files and folders only, and no TCP where the kernel can say so.

    Args:
        readable: files and folders that may be read and run; those that are not there are passed over.
        listable: folders in which names may be looked up, and nothing else.
        writable: folders that may be changed as well.

    Returns:
        Whether the kernel knows how; where it does not, nothing changes.

    Raises:
        OSError: it knows how and did not.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, 0, _VERSION)
    if version < 1:
        return False
    files = _FILES | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    files |= _IOCTL_DEV if version >= 5 else 0
    handled = struct.pack("QQ", files, _TCP) if version >= _TCP_SINCE else struct.pack("Q", files)
    ruleset = _checked(libc.syscall(_CREATE_RULESET, handled, len(handled), 0))
    for path in readable:
        _allow(libc, ruleset, path, _READING)
    for path in listable:
        _allow(libc, ruleset, path, _READ_DIR)
    for path in writable:
        _allow(libc, ruleset, path, files)
    _checked(libc.syscall(_RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)
    return True


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    allowed = rights if os.path.isdir(path) else rights & _OF_A_FILE
    rule = struct.pack("=Qi", allowed, place)
    _checked(libc.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0))
    os.close(place)


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"Landlock: {os.strerror(code)}")
    return result
