/* SPDX-License-Identifier: Apache-2.0 */
/* One step through UTF-8, for the check of strings and for texts that must be cut. Ownership:
 * borrows. Threads: pure. Source: RFC 3629, table of section 4. */
#ifndef PROTO_UTF8_H
#define PROTO_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the well-formed character at `at`, of which `bytes` are there (1 or more): 1 to 4, or 0
 * if it is not well formed: cut, overlong, a surrogate, or past U+10FFFF. */
size_t proto_utf8_step(const uint8_t *at, size_t bytes);

#endif
