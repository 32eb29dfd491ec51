"""When any layer was last changed: what was prepared before that is out of date."""

from __future__ import annotations


class Mark:
    """A moment: equal to itself alone."""

    __slots__ = ()


_last = Mark()


def last_change() -> Mark:
    """The mark of the last change of any layer; ask for it before reading what is prepared."""
    return _last


def changed() -> None:
    """Note that a layer has other attributes, or a parameter lives in another array, than before."""
    global _last
    _last = Mark()
