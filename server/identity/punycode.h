/* SPDX-License-Identifier: Apache-2.0 */
/* Labels of internationalised host names as DNS carries them.
 * Ownership: writes into the caller's buffer. Errors: false. Threads: pure. Cost: linear in the
 * label times its different characters. Source: RFC 3492 (Punycode), sections 5 and 6. */
#ifndef IDENTITY_PUNYCODE_H
#define IDENTITY_PUNYCODE_H

#include "proto/span.h"

/* Bytes of a DNS label. */
#define IDENTITY_LABEL_BYTES_MAX 63

/* Writes "xn--…" for a label of UTF-8 text (already in lower case) without a zero end; an ASCII
 * label is copied. False if it is not UTF-8 or does not fit IDENTITY_LABEL_BYTES_MAX. */
bool identity_punycode_label(struct proto_span label, char out[IDENTITY_LABEL_BYTES_MAX],
                             size_t *bytes);

#endif
