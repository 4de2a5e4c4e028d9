/* SPDX-License-Identifier: Apache-2.0 */
/* A look-alike search on the engine of engine_fixture, and the plainest search to compare it with:
 * every account's vector against the example's. Errors: a step that must not fail aborts. */
#ifndef LOOKALIKE_FIXTURE_H
#define LOOKALIKE_FIXTURE_H

#include "server/lookalike/lookalike_parts.h"
#include "tests/unit/engine/engine_fixture.h"

struct lookalike_fixture {
    struct engine_fixture base;
    struct lookalike *lookalike;
    uint64_t graph_bytes_max; /* 0 at first; another counts from lookalike_fixture_again on */
    struct engine_worker *worker;
};

void lookalike_fixture_open(struct lookalike_fixture *fixture, size_t accounts);
/* The engine and the search anew on the same store. */
void lookalike_fixture_again(struct lookalike_fixture *fixture);
void lookalike_fixture_close(struct lookalike_fixture *fixture);

/* Asks on refreshed data. */
bool lookalike_fixture_ask(struct lookalike_fixture *fixture, const struct lookalike_similar *query,
                           struct lookalike_result *result, struct proto_fault *fault);
/* The k most like a stored account; frees nothing, must succeed. */
struct lookalike_result lookalike_fixture_like(struct lookalike_fixture *fixture, const char *id,
                                               uint32_t k);
/* Queues a build and waits for its end. */
struct engine_job_info lookalike_fixture_build(struct lookalike_fixture *fixture,
                                               struct lookalike_rebuild *build);
/* Waits until the keeper has opened what the store keeps, or found that it keeps nothing. */
struct lookalike_stats lookalike_fixture_opened(struct lookalike_fixture *fixture);

/* Cosine of two stored accounts by the plan in use. */
double lookalike_fixture_cosine(struct lookalike_fixture *fixture, uint32_t a, uint32_t b);

#endif
