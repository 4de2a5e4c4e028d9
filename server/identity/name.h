/* SPDX-License-Identifier: Apache-2.0 */
/* What of a company's name is compared: the words that are its own.
 *
 *     "The Müller & Söhne GmbH & Co. KG (formerly Maier)"   →   muller sohne          GMBH_KG
 *     "株式会社トヨタ"                                        →   トヨタ                 KK
 *     "I.B.M. Intl., Inc."                                  →   ibm international     INC
 *
 * Letters lose case, accents and ligatures (letter_fold.def), full-width forms become plain; signs
 * and what is no UTF-8 divide words, an apostrophe does not; letters alone beside each other are
 * one word ("A. O. Smith"). What stands in brackets goes, then words that join ("and", "the",
 * name_word.def), then legal forms (legal_form.def), then some words are written out; each only as
 * long as something is left. Names of more than IDENTITY_NAME_TOKENS words, or more than
 * IDENTITY_NAME_BYTES, are compared by what stands before.
 *
 * Ownership: fixed room, nothing is allocated. Errors: false for a text without any letter or
 * digit. Threads: pure. Cost: linear, some 1 µs a name. Source: METHODS of record linkage, names
 * without legal forms and stop words; the tables are this project's own. */
#ifndef IDENTITY_NAME_H
#define IDENTITY_NAME_H

#include "proto/span.h"

#define IDENTITY_NAME_BYTES 256
#define IDENTITY_NAME_TOKENS 16

struct identity_token {
    uint8_t at;
    uint8_t bytes;
};

struct identity_name {
    char text[IDENTITY_NAME_BYTES]; /* tokens with a blank between, a zero at the end */
    struct identity_token tokens[IDENTITY_NAME_TOKENS];
    uint8_t token_count;
    const char *form; /* name of the legal form's group; NULL: none */
};

bool identity_name_normal(struct proto_span text, struct identity_name *name);

static inline struct proto_span identity_name_token(const struct identity_name *name, size_t index)
{
    struct identity_token token = name->tokens[index];
    return (struct proto_span){(const uint8_t *)name->text + token.at, token.bytes};
}
/* All tokens without the blanks between; the bytes. */
size_t identity_name_joined(const struct identity_name *name, char out[IDENTITY_NAME_BYTES]);

#endif
