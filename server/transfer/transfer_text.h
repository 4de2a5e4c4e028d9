/* SPDX-License-Identifier: Apache-2.0 */
/* Lines on their way into a file: JSON that is the same for the same content, with its sum.
 * Ownership: a text borrows its stream. Errors: sticky, in `failed` (an errno). Threads: one. */
#ifndef TRANSFER_TEXT_H
#define TRANSFER_TEXT_H

#include <stdio.h>

#include "proto/span.h"
#include "server/math/sha256.h"

struct transfer_text {
    FILE *file;
    struct math_sha256 sha;
    uint64_t bytes;
    int failed; /* 0: nothing has */
};

void transfer_text_raw(struct transfer_text *text, const char *bytes);
/* A JSON string, quotes included; the text is UTF-8. */
void transfer_text_string(struct transfer_text *text, struct proto_span string);
void transfer_text_int(struct transfer_text *text, int64_t number);
/* The fewest digits that read back as the same number. */
void transfer_text_number(struct transfer_text *text, double number);
void transfer_text_float(struct transfer_text *text, float number);

#endif
