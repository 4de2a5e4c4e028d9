/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an address is surely this machine itself: "localhost", 127.0.0.0/8 or ::1. Names are not
 * resolved: one that happens to resolve to loopback is what a stranger would make use of. Threads:
 * pure. */
#ifndef BASE_LOOPBACK_H
#define BASE_LOOPBACK_H

#include <stdbool.h>

bool base_is_loopback(const char *host);

#endif
