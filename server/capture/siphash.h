/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash-2-4: a 64-bit hash under a secret key of 128 bits, which nobody without the key can
 * work out, guess at, or turn around by trying dictionaries; XXH3 with a seed promises none of
 * this. Ownership: borrows. Threads: pure. Cost: about 1.5 ns a byte, 20 ns at least. Source: J.-P.
 * Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", 2012. */
#ifndef CAPTURE_SIPHASH_H
#define CAPTURE_SIPHASH_H

#include "proto/span.h"

#define CAPTURE_KEY_BYTES 16

uint64_t capture_siphash(const uint8_t key[CAPTURE_KEY_BYTES], struct proto_span bytes);

#endif
