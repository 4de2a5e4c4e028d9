/* SPDX-License-Identifier: Apache-2.0 */
/* An engine on a temporary store, filled without sockets and without requests. Shared by the tests
 * of engine, lookalike and listing. Accounts are a0 …; their outcome `won` follows their fields, so
 * that there is something to learn. Errors: a step that must not fail aborts. Threads: one. */
#ifndef ENGINE_FIXTURE_H
#define ENGINE_FIXTURE_H

#include "server/engine/worker.h"

struct engine_fixture {
    char directory[64];
    struct engine *engine;
    bool starting;          /* of the next opening: what can wait waits for engine_started */
    _Atomic int64_t now_ms; /* the clock: set it; it does not go by itself */
    /* The last job that ended. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct engine_job_info ended;
    size_t ended_count;
};

void engine_fixture_open(struct engine_fixture *fixture);
/* Closes and opens the engine again on the same store. */
void engine_fixture_again(struct engine_fixture *fixture);
void engine_fixture_close(struct engine_fixture *fixture); /* removes the store */

void engine_fixture_schema(struct engine_fixture *fixture, const char *json);
/* A whole account; words are NAME, VALUE, NAME, VALUE …, NULL, values as in a CSV cell; the name
 * "key" adds a key. */
void engine_fixture_put(struct engine_fixture *fixture, const char *id, const char *const *words);
bool engine_fixture_delete(struct engine_fixture *fixture, const char *id);
/* The schema of the fixture (industry, employees, tech, trial, embedding, parent, won) and `count`
 * accounts, one batch of puts. */
void engine_fixture_fill(struct engine_fixture *fixture, size_t count);
/* Learns "won = 1" and makes it active; the number of the version. */
uint32_t engine_fixture_learn(struct engine_fixture *fixture);
/* With a field that says what an account was worth. */
uint32_t engine_fixture_learn_value(struct engine_fixture *fixture, const char *value);
/* A version of this document, active or not. 0 with *fault. */
uint32_t engine_fixture_icp(struct engine_fixture *fixture, const char *json, bool activate,
                            struct proto_fault *fault);

/* Callbacks of a job, with the fixture as context, and the wait for it. */
void engine_fixture_ended(void *fixture, const struct engine_job_info *info);
struct engine_job_info engine_fixture_wait(struct engine_fixture *fixture, size_t count);

/* A worker with the newest data. */
struct engine_worker *engine_fixture_worker(struct engine_fixture *fixture);
struct proto_span engine_fixture_span(const char *text);

#endif
