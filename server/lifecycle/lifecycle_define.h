/* SPDX-License-Identifier: Apache-2.0 */
/* Definitions of metrics put on the server, and found by whoever measures by them: the registry
 * that makes one team's number the other's (server/engine/definitions.h holds it).
 *
 * A definition that is put becomes the next version of its name, in force at once; the ones before
 * stay and can be asked for. What says the same as the one in force is not stored again. The
 * document may name the version that it was made from, or the one that it will be: if somebody else
 * put one in between it is refused. All versions of a name are of one metric, or a bridge between
 * two would have no sense.
 *
 * Ownership: requests borrow. Errors: BAD_DOCUMENT with the way to the member, "definition.rules.
 * churn-at", line and column in the message; CONFLICT (version, operation), NOT_FOUND, CORRUPT
 * (damage), those of the store. Threads: the worker's, which must be one that may wait. Cost: one
 * write. */
#ifndef LIFECYCLE_LIFECYCLE_DEFINE_H
#define LIFECYCLE_LIFECYCLE_DEFINE_H

#include "server/engine/definitions.h"
#include "server/engine/engine.h"

struct lifecycle_define {
    struct proto_span text; /* the document */
    struct proto_span note; /* why; empty: the document's own */
    bool dry_run;           /* nothing is stored */
    struct engine_operation operation;
};

struct lifecycle_defined {
    struct measure_definition definition; /* as it is, or would be, stored */
    char *text; /* the same as a document, made before anything is stored: to tell of what was done
                   takes no memory that could be lacking. free() it, also after a fault */
    uint32_t before;          /* version that was in force; 0: none, or nobody can say */
    struct measure_rules was; /* its rules … */
    struct measure_engagement was_engagement; /* … and weights */
    bool unchanged;                           /* it says the same: nothing was stored */
    bool repeated; /* the operation was applied before; was and before are not told */
    uint64_t seq;  /* of the log; 0 where nothing was stored */
};

bool lifecycle_define(struct engine_worker *worker, const struct lifecycle_define *request,
                      struct lifecycle_defined *defined, struct proto_fault *fault);

/* What a reference means: "name", "name@version" or "usual", whose metric is MEASURE_METRICS: any.
 * Faults without a field. */
bool lifecycle_definition(const struct engine_state *state, struct proto_span reference,
                          struct measure_definition *definition, struct proto_fault *fault);

/* What a rule says in words of its table; of the rates the currency and its rates. */
#define LIFECYCLE_RULE_BYTES 256
void lifecycle_rule_print(const struct measure_rules *rules, enum measure_rule rule,
                          char text[LIFECYCLE_RULE_BYTES]);

#endif
