/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of imports that are taken back share: one engine, who tells it values of two fields,
 * and what stands afterwards.
 *
 * Ownership: setup makes fixture and worker, teardown frees them. Errors: the test fails. Threads:
 * one. */
#ifndef TESTS_UNIT_ENGINE_UNDO_FIXTURE_H
#define TESTS_UNIT_ENGINE_UNDO_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/engine/undo_job.h"
#include "tests/unit/engine/engine_fixture.h"

enum { ACCOUNTS = 12, FIELDS = 2, SLOTS = 64 };

extern struct engine_fixture fixture;
extern struct engine_worker *worker;
extern struct engine_undo_result result;

/* Values of an account in a batch; 0: none is told. keys may be NULL. */
struct telling {
    const char *id, *key;
    int values[FIELDS];
    int64_t ago_ms; /* dated, and true that long ago; 0: not dated */
};

int setup(void **state);
int teardown(void **state);
/* The engine ends and starts anew on what is stored. */
void again(void);
/* A batch of an import, or (NULL) of nobody's. */
void tell(const char *import, const struct telling *told, size_t count, const char *source);
/* Takes an import back and waits; what came of it is in `result`. operation: NULL for none. */
struct engine_job_info undo(const char *import, bool dry, const char *operation);
uint64_t figure(enum engine_undo_figure at);
/* False: there is no such account. values: SLOTS of them. */
bool account_read(const char *id, struct feature_value *values, struct feature_record *record);
/* What a field is; 0: none, -1: there is no account. */
int value_of(const char *id, int field);
/* 0 … most - 1. */
int random_of(uint32_t *seed, int most);

#endif
