/* SPDX-License-Identifier: Apache-2.0 */
/* A model that keeps every state of every account, and the steps that change it together with a
 * store: puts, patches with and without true times, late ones, values taken away, deletions. What
 * the store says that an account was is held against it.
 *
 * Ownership: borrows the fixture. Errors: what must not fail ends the test. Threads: one. */
#ifndef TESTS_PAST_MODEL_H
#define TESTS_PAST_MODEL_H

#include "tests/unit/store/store_fixture.h"

enum { PAST_FIELDS = 5, PAST_MOMENTS = 420, PAST_LONG = 1500 };

int past_setup(void **state); /* a fixture with an open store */
int past_teardown(void **state);

/* A value of the model: 0 is none; even fields are numbers, odd ones texts of that letter. */
struct past_cell {
    int value;
    int64_t time_ms;
};

struct past_moment {
    uint64_t seq;
    int64_t known_ms;
    bool lives;
    int born; /* which life it is */
    struct past_cell cells[PAST_FIELDS];
};

/* Every state of an account, the last is now. */
struct past_model {
    struct past_moment moments[PAST_MOMENTS];
    size_t count;
    int lives;
};

uint64_t past_random(uint64_t *seed);
struct past_moment *past_now(struct past_model *model);
struct past_moment past_begin(struct past_model *model); /* what the next moment follows on */
void past_values_fill(struct feature_value values[PAST_FIELDS],
                      const struct past_cell cells[PAST_FIELDS],
                      char texts[PAST_FIELDS][PAST_LONG]);
struct feature_record past_record(const char *id, const struct feature_value *values);

/* One batch of the kind for the account, in store and model. */
void past_step_put(struct fixture *fixture, struct past_model *model, const char *id,
                   uint64_t *seed);
void past_step_patch(struct fixture *fixture, struct past_model *model, const char *id,
                     uint64_t *seed);
void past_step_delete(struct fixture *fixture, struct past_model *model, const char *id);
void past_step_reopen(struct fixture *fixture, bool abandon);

/* What the store says that an account was; false: there was none, or it is not kept (*kept). */
bool past_store_at(struct store_view *view, const char *id, uint64_t seq, int64_t known_ms,
                   int cells[PAST_FIELDS], bool *kept);
/* Compares one moment; false if the two differ. With `forgiving` what is not kept is fine. */
bool past_moment_same(struct store_view *view, const char *id, const struct past_model *model,
                      uint64_t seq, int64_t known_ms, bool forgiving);
/* Some moments of the model, drawn; one that differs ends the test. */
void past_must_be(struct store_view *view, const char *id, const struct past_model *model,
                  uint64_t *seed);

/* Without a model. */
bool past_put_number(struct fixture *fixture, const char *id, int number);
/* Many puts of an account in one batch, a change each. */
void past_put_numbers(struct fixture *fixture, const char *id, int from, int count);
size_t past_changes(struct fixture *fixture, const char *id, bool *gone);
/* Of the histories of all accounts, as they are read. */
uint64_t past_digest(struct fixture *fixture);
uint64_t past_pieces(struct fixture *fixture); /* values of the table */

#endif
