/* SPDX-License-Identifier: Apache-2.0 */
/* Who wrote what, and when: the write log, batch by batch, as an auditor reads it.
 *
 * Shapes: entries in the order of sequences; times are milliseconds since 1970. Ownership: spans of
 * an entry die with the call that is given it. Errors: PROTO_NOT_FOUND where the log does not reach
 * back so far; PROTO_CORRUPT. Threads: any that may walk the base. Cost: 1 GB/s of log; with an
 * account's id every batch is looked into. */
#ifndef ENGINE_AUDIT_H
#define ENGINE_AUDIT_H

#include "server/engine/engine.h"

/* What a batch may do: X(NAME, "in words"), in the order of the store's kinds of commands. */
#define ENGINE_AUDIT_DEEDS(X)                                                                      \
    X(PUT, "put")                                                                                  \
    X(PATCH, "patch")                                                                              \
    X(DELETE, "delete")                                                                            \
    X(SCHEMA, "schema")                                                                            \
    X(ICP, "icp")                                                                                  \
    X(ACTIVATE, "activate")                                                                        \
    X(REVERT, "revert")                                                                            \
    X(TAL, "list")                                                                                 \
    X(DROP, "list given up")                                                                       \
    X(EVENT, "event")                                                                              \
    X(UNDO, "undo")                                                                                \
    X(IDENTITY, "identity entry")                                                                  \
    X(TERM, "plan entry")                                                                          \
    X(METRIC, "definition")                                                                        \
    X(CHALLENGE, "challenge")                                                                      \
    X(SEGMENT, "segment")

enum engine_deed {
#define X(NAME, words) ENGINE_DEED_##NAME,
    ENGINE_AUDIT_DEEDS(X)
#undef X
        ENGINE_DEEDS
};
const char *engine_deed_name(enum engine_deed deed);

struct engine_audit {
    uint64_t seq;
    int64_t time_ms;
    struct proto_span author;    /* empty: it was not written down */
    struct proto_span operation; /* id of the operation; empty: it had none */
    struct proto_span first;     /* id of the first account in it; empty: none */
    struct proto_span reason;    /* of a switch of the active version, or why a list was given up */
    uint32_t counts[ENGINE_DEEDS];
};

/* Calls back with the batches behind `after`, up to the newest that is durable, in order; with an
 * id only those that put, patch or delete that account. Ends early where each() returns false. */
bool engine_audit(struct engine *engine, uint64_t after, struct proto_span id,
                  bool (*each)(void *context, const struct engine_audit *entry), void *context,
                  struct proto_fault *fault);
/* The newest sequence, and the oldest that is kept. */
bool engine_audit_range(struct engine *engine, uint64_t *oldest, uint64_t *newest,
                        struct proto_fault *fault);

#endif
