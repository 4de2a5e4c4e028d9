/* SPDX-License-Identifier: Apache-2.0 */
/* The writer makes the version odd, sets the words, makes it even. A reader whose two looks at the
 * version differ has words of two moments, and starts again. */
#include "server/store/moment.h"

#define MOMENT_WORDS(X)                                                                            \
    X(seq)                                                                                         \
    X(accounts)                                                                                    \
    X(switches)                                                                                    \
    X(slots)                                                                                       \
    X(schema_version)                                                                              \
    X(icp_version)                                                                                 \
    X(tals)                                                                                        \
    X(identities)                                                                                  \
    X(metrics)                                                                                     \
    X(challenges)                                                                                  \
    X(segments)                                                                                    \
    X(sources)                                                                                     \
    X(folds)                                                                                       \
    X(terms)

void store_moment_set(struct store_moments *moments, const struct disk_state *state,
                      const struct store_generation *newest)
{
    uint64_t version = atomic_load_explicit(&moments->version, memory_order_relaxed);
    atomic_store_explicit(&moments->version, version + 1, memory_order_relaxed);
    /* Each word is stored with release, so that whoever sees it sees the odd version too. */
#define X(name) atomic_store_explicit(&moments->name, state->name, memory_order_release);
    MOMENT_WORDS(X)
#undef X
    atomic_store_explicit(&moments->newest, newest, memory_order_release);
    atomic_store(&moments->version, version + 2);
}

void store_moment_get(const struct store_moments *moments, struct disk_state *state,
                      const struct store_generation **newest)
{
    for (;;) {
        uint64_t version = atomic_load(&moments->version);
        if ((version & 1) != 0) {
            continue;
        }
#define X(name) state->name = atomic_load_explicit(&moments->name, memory_order_acquire);
        MOMENT_WORDS(X)
#undef X
        *newest = atomic_load_explicit(&moments->newest, memory_order_acquire);
        if (atomic_load_explicit(&moments->version, memory_order_relaxed) == version) {
            return;
        }
    }
}
