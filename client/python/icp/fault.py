# SPDX-License-Identifier: Apache-2.0
"""The one exception of this package."""
from typing import Optional

from .tables import ERROR_CODES, ERRORS


class IcpError(Exception):
    """Why a call failed, for a program and for a person.

    code       number of the error; below 200 from the server, else made here
    name       its name, such as "bad-field", "busy", "timeout"
    field      path of what is at fault, such as "accounts[3].values.employees"; "" if nothing is
    message    one sentence: what is wrong and what would be right
    retryable  whether the same request may succeed later
    retry_after_ms  milliseconds before which it will not; 0 where the server does not know
    """

    def __init__(self, name: str, message: str, field: str = "", code: Optional[int] = None,
                 retryable: Optional[bool] = None, retry_after_ms: int = 0):
        self.code = ERROR_CODES.get(name, 0) if code is None else code
        self.name = name
        self.field = field
        self.message = message
        known = ERRORS.get(self.code)
        self.retryable = bool(known and known.retryable) if retryable is None else retryable
        self.retry_after_ms = retry_after_ms
        super().__init__(f"{name}: {field + ': ' if field else ''}{message}")

    def __reduce__(self):
        return (IcpError, (self.name, self.message, self.field, self.code, self.retryable,
                           self.retry_after_ms))


def from_reply(status: int, payload: dict) -> IcpError:
    """The error that a reply with this status tells."""
    name = payload.get("error")
    if not isinstance(name, str):
        known = ERRORS.get(status)
        name = known.name if known else "internal"
    wait_ms = payload.get("retry_after_ms", 0)
    return IcpError(name, str(payload.get("message", "")), str(payload.get("field", "")), status,
                    bool(payload.get("retryable", False)), wait_ms if isinstance(wait_ms, int) else 0)
