# SPDX-License-Identifier: Apache-2.0
"""icp: the client of icpd for Python; see docs/clients.md.

    import icp
    client = icp.Client("icp://127.0.0.1:4273", call_timeout=0.2)
    score = client.score(email="ann@acme.com", reasons=3)
"""
from array import array
import sys
from typing import Any, Dict

from .aio import AsyncClient
from .client import Client
from .fault import IcpError
from .policy import DEFAULT_URI, VERSION, Options
from .tables import ERRORS, LIMITS, OPERATIONS
from .written import Written

__version__ = VERSION
__all__ = ["AsyncClient", "Client", "DEFAULT_URI", "ERRORS", "IcpError", "LIMITS", "OPERATIONS", "Options",
           "Written", "columns"]


def columns(reply: Dict[str, Any]) -> Dict[str, Any]:
    """The columns of score-many by ids, and of filter with scores, as arrays: fit and p of floats, raw
    of integers, grade as text. fit and p are NaN, grade '-' and raw the smallest integer where the id
    is unknown."""
    found: Dict[str, Any] = {}
    for name, code in (("fit", "f"), ("p", "f"), ("raw", "q")):
        if isinstance(reply.get(name), bytes):
            found[name] = array(code, reply[name])
            if sys.byteorder != "little":
                found[name].byteswap()
    if isinstance(reply.get("grade"), bytes):
        found["grade"] = reply["grade"].decode("ascii")
    return found
