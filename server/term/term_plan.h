/* SPDX-License-Identifier: Apache-2.0 */
/* A plan is the fold of its entries: what is committed, by whom, until when. Entries are only
 * added.
 *
 *     entry  {"act":…,"at_ms":…,"body":{…},"by":…,"number":…,"plan":…}   canonical JSON
 *     line   {"entry":…,"hash":"h(number), 64 digits"}                   the same (term_chain.h)
 *
 * Terms, what the entries so far come to: from, to, note, share (of the work that is committed to
 * the list, where it was said), icp {version, sha256}, evidence, layers and stages {name: null or
 * {owner, budget, metric}}, signatories {function: {person, key}}, list {tal, digest, icp, count,
 * root}. Whatever changes them before the commitment makes signatures void.
 *
 * A signature is Ed25519 over {"act":…,"body":… without "signature","plan":…,"purpose":"icp plan"}
 * in canonical form; its body names the hash that it covers, that of the entry before, so it is
 * over all of the history. Ownership: a plan is init'ed and fini'ed; JSON that is given is
 * borrowed. Errors: PROTO_CONFLICT for what the state does not allow, PROTO_BAD_FIELD with the
 * member, PROTO_NO_MEMORY, after which a plan can only be dropped; after another fault it is as
 * before. Threads: one a plan. Cost: some 20 µs an entry, 150 µs one that is signed. */
#ifndef TERM_TERM_PLAN_H
#define TERM_TERM_PLAN_H

#include <jansson.h>

#include "proto/fault.h"
#include "server/term/term_chain.h"

enum term_state {
#define X(STATE, word) TERM_STATE_##STATE,
#include "server/term/term_state.def"
#undef X
};
const char *term_state_word(enum term_state state);

struct term_plan {
    char name[PROTO_PLAN_NAME_BYTES_MAX + 1];
    enum term_state state;
    uint32_t entries;
    int64_t at_ms;         /* of the newest */
    struct term_hash head; /* the hash of the newest */
    json_t *terms;
    json_t *signed_by; /* function → number of the entry by which it signed */
};

/* The name must have been checked: term_name_check. */
bool term_plan_init(struct term_plan *plan, struct proto_span name, struct proto_fault *fault);
void term_plan_fini(struct term_plan *plan);

/* 1 to PROTO_PLAN_NAME_BYTES_MAX bytes of UTF-8 without control characters. */
bool term_name_check(struct proto_span name, struct proto_fault *fault);

/* The next entry, checked and taken; its line is malloc'd. by: who writes it. at_ms: not before
 * that of the newest. What could not be read again as it stands (term_value.h) is refused. NULL
 * with *fault. */
char *term_plan_add(struct term_plan *plan, const char *act, int64_t at_ms, struct proto_span by,
                    const json_t *body, size_t *bytes, struct proto_fault *fault);
/* The next entry as a line, which must be canonical and have the hash that follows. */
bool term_plan_take(struct term_plan *plan, struct proto_span line, struct proto_fault *fault);

/* Whether a line is of the plan of that name, seen by its end. */
bool term_line_of(struct proto_span line, struct proto_span name);
/* The entry of a line that is canonical, its number and its hash, without a look at what it says.
 * The caller drops the entry; *text (malloc'd) is its canonical form. False with *fault. */
struct term_line {
    json_t *line;
    const json_t *entry;
    struct term_hash hash;
    uint32_t number;
    char *text; /* of the entry */
    size_t text_bytes;
};
bool term_line_open(struct proto_span line, struct term_line *opened, struct proto_fault *fault);
void term_line_fini(struct term_line *opened);

/* term_look.c, as is the rest. What is signed; malloc'd. The body may have a signature, which is
 * left out. */
char *term_statement(const char *plan, const char *act, const json_t *body, size_t *bytes,
                     struct proto_fault *fault);

/* "layer data, stage renewal": what has no owner, as many whole names as fit, with "…" behind them
 * where that is not all; room for 16 bytes at least. Returns how many there are. */
size_t term_plan_ownerless(const struct term_plan *plan, char *out, size_t room);
/* The term at a path: from, to, list, layers/NAME, stages/NAME, signatories/FUNCTION; NULL where
 * there is none. */
const json_t *term_plan_at(const struct term_plan *plan, const char *path);

#endif
