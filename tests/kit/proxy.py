"""A bad line between two programs: cut, healed, silenced, slowed, delayed, broken in the middle."""

from deploy.proxy import Proxy

__all__ = ["Proxy"]
