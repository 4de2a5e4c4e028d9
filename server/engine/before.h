/* SPDX-License-Identifier: Apache-2.0 */
/* An account as it was known at a sequence of the log or at a time: what is stored now, with what
 * changed since taken back (server/store/past.h). Or as it was in truth at a time, as far as that
 * was known: of what each field was said to be, what was said last of all that holds for then. A
 * value holds from its true time; where it was told again, and only the time of that is kept, from
 * the telling that brought it. One that came late holds until the next begins, and where a value
 * was taken away there is none from the moment of that.
 *
 * Ownership: values and sources lie in the arena and in what the worker's view holds, until that is
 * refreshed. Errors: PROTO_NOT_FOUND where there was no account then, or what it was is not kept or
 * was never known, or nothing is known that was true then; PROTO_CORRUPT where its history is
 * damaged; PROTO_NO_MEMORY. Threads: the
 * worker's. Cost: that of a record, and of a history that of its entries, some 20 ns each. */
#ifndef ENGINE_BEFORE_H
#define ENGINE_BEFORE_H

#include "server/base/arena.h"
#include "server/engine/engine.h"
#include "server/store/past.h"

struct engine_moment {
    uint64_t seq;     /* UINT64_MAX: any */
    int64_t known_ms; /* INT64_MAX: any */
    int64_t true_ms;  /* INT64_MAX: what was known last */
};

static inline struct engine_moment engine_moment_now(void)
{
    return (struct engine_moment){.seq = UINT64_MAX, .known_ms = INT64_MAX, .true_ms = INT64_MAX};
}

/* The time at which it is looked at whether a value is stale: that of the moment, or now. */
static inline int64_t engine_moment_ms(const struct engine_moment *moment, int64_t now_ms)
{
    int64_t ms = moment->known_ms < now_ms ? moment->known_ms : now_ms;
    return moment->true_ms < ms ? moment->true_ms : ms;
}

struct engine_past_value {
    struct feature_value value;
    struct proto_span source;
    bool unkept; /* it was long, and is not kept: value is not present */
};

/* What is known of an account at a moment. */
enum engine_was {
    ENGINE_WAS_KNOWN,
    ENGINE_WAS_UNKNOWN,  /* it was there, and nothing is known that was true then */
    ENGINE_WAS_NOT_YET,  /* there was no account */
    ENGINE_WAS_NOT_KEPT, /* what it was is not kept */
};

/* Values by field id, `slots` of them, where *was says that they are known; of a record that is
 * open. False: it cannot be read. */
bool engine_account_was(struct engine_worker *worker, uint32_t slot,
                        const struct engine_moment *moment, const struct feature_record *record,
                        size_t slots, struct base_arena *arena, struct engine_past_value **values,
                        enum engine_was *was, struct proto_fault *fault);
/* The same, with the record, and a fault for what is not known. */
bool engine_account_at(struct engine_worker *worker, uint32_t slot,
                       const struct engine_moment *moment, size_t slots, struct base_arena *arena,
                       struct feature_record *record, struct engine_past_value **values,
                       struct proto_fault *fault);

/* What the account's history has, oldest first; to be given back with store_history_fini, also
 * after a fault. */
bool engine_history(struct engine_worker *worker, uint32_t slot, struct store_history *history,
                    struct proto_fault *fault);

#endif
