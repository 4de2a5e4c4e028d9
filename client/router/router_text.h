/* SPDX-License-Identifier: Apache-2.0 */
/* JSON that is written piece by piece into memory that is used again. Objects of jansson that were
 * made, dumped twice and dropped were more than half of what a lead cost.
 *
 * Shapes: texts are UTF-8, as jansson read them or rules hold them. A comma goes between members
 * and elements by itself. Ownership: router_text_fini; the text is valid until the next piece.
 * Errors: no memory is told by `failed`, which stays until the reset. Threads: one. Cost: some 20
 * ns a piece, a number that is no whole one 500. */
#ifndef ROUTER_TEXT_H
#define ROUTER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct router_text {
    char *data; /* with a zero behind it */
    size_t bytes, room;
    bool failed;
};

void router_text_reset(struct router_text *text);
void router_text_fini(struct router_text *text);

/* As they are, a brace or a bracket that opens or closes among them. */
void router_text_raw(struct router_text *text, const char *data, size_t bytes);
void router_text_open(struct router_text *text, char bracket);
void router_text_close(struct router_text *text, char bracket);
/* A member's name; the value comes next. */
void router_text_name(struct router_text *text, const char *name);
/* Values. NULL of a string is null; a number that is none, too. */
void router_text_string(struct router_text *text, const char *value);
void router_text_int(struct router_text *text, int64_t value);
void router_text_real(struct router_text *text, double value);
void router_text_flag(struct router_text *text, bool value);

#endif
