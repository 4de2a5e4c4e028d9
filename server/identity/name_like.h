/* SPDX-License-Identifier: Apache-2.0 */
/* How alike two words are: Jaro–Winkler, for slips of the finger and transposed letters.
 *
 * Jaro: with m letters in common within max(|a|,|b|)/2 − 1 places and t of them out of order,
 * (m/|a| + m/|b| + (m − t/2)/m) / 3. Winkler: plus 0.1 · ℓ · (1 − jaro) for ℓ equal letters at the
 * beginning, at most 4. MARTHA, MARHTA .9611; DIXON, DICKSONX .8133; DWAYNE, DUANE .84.
 *
 * Shapes: UTF-8, letters are code points, the first IDENTITY_LIKE_LETTERS of each. Bytes that are
 * no UTF-8 count as letters of their own. Errors: none; two empty texts are alike (1), one is not
 * (0). Threads: pure. Cost: some 60 ns for words of eight letters. Source: Jaro 1989; Winkler 1990,
 * without his threshold of 0.7. */
#ifndef IDENTITY_NAME_LIKE_H
#define IDENTITY_NAME_LIKE_H

#include "proto/span.h"

#define IDENTITY_LIKE_LETTERS 256

double identity_jaro(struct proto_span a, struct proto_span b);
double identity_jaro_winkler(struct proto_span a, struct proto_span b);

#endif
