# SPDX-License-Identifier: Apache-2.0
"""Which host is worth an attempt; the same choice as libicp's (docs/client.md, Several hosts).

Happy path: all are, in the order of the URI, and one that works is kept. One that failed is passed over for
a while, longer each time, as long as there is another that is not: a machine that is gone takes no answer
away from those that are there, but for one attempt in a while. Failure path: all have failed of late, and
then the order is as if none had.
"""
import random
from typing import List, Optional, Tuple, Union

from .tables import PATIENCE

Address = Union[str, Tuple[str, int]]  # path of a Unix socket, or host and port

COOL_FIRST_S = PATIENCE["host_cool_ms_first"] / 1000
COOL_MAX_S = PATIENCE["host_cool_ms_max"] / 1000


class Hosts:
    """addresses in the order of the URI; `at` is the one to try next. now: seconds of any one clock."""

    def __init__(self, addresses: List[Address], seed: Optional[int] = None):
        self.addresses = addresses
        self.at = 0
        self._random = random.Random(seed)
        self._failures = [0] * len(addresses)  # in a row
        self._cool_until = [0.0] * len(addresses)

    def __len__(self) -> int:
        return len(self.addresses)

    def failed(self, host: int, now: float) -> None:
        cool = min(COOL_FIRST_S * 2 ** min(self._failures[host], 10), COOL_MAX_S)
        self._failures[host] += 1
        # Half of it by chance, so that many clients do not come back in one moment.
        self._cool_until[host] = now + self._random.uniform(cool / 2, cool)

    def worked(self, host: int) -> None:
        self.at = host
        self._failures[host] = 0
        self._cool_until[host] = 0.0

    def after(self, host: int, now: float) -> int:
        """The next that did not fail of late, perhaps itself; if all did, the next."""
        count = len(self.addresses)
        for step in range(1, count + 1):
            following = (host + step) % count
            if self._cool_until[following] <= now:
                return following
        return (host + 1) % count

    def leave(self, host: int, now: float) -> None:
        """Others had better be asked for a while."""
        self.failed(host, now)
        self.at = self.after(host, now)
