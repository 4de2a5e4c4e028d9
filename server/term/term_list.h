/* SPDX-License-Identifier: Apache-2.0 */
/* The accounts of a stored target account list as the leaves of a tree: leaf i is entry i of the
 * document (server/tal/tal_document.h) in canonical JSON, so that its rank, p and reasons are
 * proved with its id. Ownership: the document is borrowed, texts are the caller's. Errors:
 * PROTO_CORRUPT for a document without entries, PROTO_NOT_FOUND, PROTO_NO_MEMORY. Threads: pure.
 * Cost: some 5 µs an account. */
#ifndef TERM_TERM_LIST_H
#define TERM_TERM_LIST_H

#include <jansson.h>

#include "proto/fault.h"
#include "server/term/term_tree.h"

bool term_list_root(const json_t *document, struct term_hash *root, size_t *count,
                    struct proto_fault *fault);

/* That the account of that id is on it: its leaf's text (malloc'd, with a zero) and the way up. */
bool term_list_prove(const json_t *document, const char *id, char **leaf, struct term_proof *proof,
                     struct term_hash *root, struct proto_fault *fault);

#endif
