/* SPDX-License-Identifier: Apache-2.0 */
/* The history of a plan as a file that anybody can check without a server, and the check.
 *
 *     {"format":1,"icp":"plan export","plan":NAME}
 *     lines of entries (term_plan.h), in order
 *     {"end":"plan export","entries":COUNT,"head":HASH of the newest}
 *
 * What is found is the first thing that is wrong, and which entry it is. Whoever rewrites entries
 * with all hashes behind them is found by the signatures that cover them; behind the newest
 * signature a rewritten history is only another head than the one that was written down elsewhere,
 * which is what `head` is for. Ownership: the caller's. Errors: false is PROTO_NO_MEMORY. Threads:
 * pure. Cost: some 50 µs an entry, 200 µs one that is signed. */
#ifndef TERM_TERM_AUDIT_H
#define TERM_TERM_AUDIT_H

#include "server/term/term_plan.h"

enum term_wrong { TERM_SOUND, TERM_ALTERED, TERM_DROPPED, TERM_REORDERED, TERM_FORGED };
const char *term_wrong_word(enum term_wrong wrong);

struct term_finding {
    enum term_wrong wrong;
    uint32_t entry; /* 0: of the first or the last line */
    size_t line;    /* of the text, from 1 */
    char message[640];
};

/* head: what the newest entry's hash must be; NULL: nobody knows. *plan is what the entries before
 * the finding come to; fini'ed by the caller in any case. */
bool term_audit(struct proto_span text, const struct term_hash *head, struct term_plan *plan,
                struct term_finding *finding, struct proto_fault *fault);

/* First and last line without their ends; malloc'd, NULL without memory. */
char *term_export_head(const char *plan);
char *term_export_end(uint32_t entries, const struct term_hash *head);

#endif
