/* SPDX-License-Identifier: Apache-2.0 */
/* The plain model that a store is held against while it folds (test_fold.c): what each account,
 * text and document must be after each batch, and a run of random steps with the views that it
 * holds. Ownership: a run owns its models. Errors: what must not fail ends the test. Threads: one;
 * what is heard of a commit comes from the writer before its batch is answered. */
#ifndef TESTS_STORE_FOLD_MODEL_H
#define TESTS_STORE_FOLD_MODEL_H

#include "tests/unit/store/store_fixture.h"

enum {
    IDS = 40,
    KEYS = 30,
    KEYS_EACH = 2,
    SLOTS = 4000,
    VIEWS = 6,
    DOCUMENTS = 200,
    STEPS = 250,
    ROUNDS = 24,
    RECORD_BYTES = 512,
    TOUCHED = 64,
};

struct model_account {
    int id;        /* -1: deleted */
    uint32_t keys; /* bit per key */
    int number;
    uint32_t created_s;
    size_t bytes;
    uint8_t value[STORE_ACCOUNT_HEADER_BYTES + RECORD_BYTES];
};

struct model {
    uint64_t seq;
    uint32_t slots;
    uint32_t accounts;
    uint32_t icps;
    uint32_t active;
    uint32_t switches;
    int slot_of[IDS]; /* -1: none */
    int owner_of[KEYS];
    struct model_account account[SLOTS];
};

struct held_view {
    struct store_view *view;
    struct model *model;
};

struct run {
    struct fixture *fixture;
    struct model *now;
    struct model *tried;
    struct held_view views[VIEWS];
    uint64_t random;
    uint64_t digest;
    uint8_t salt[256];
    uint32_t touched[TOUCHED]; /* by the last commit, as it was told */
    size_t touched_count;
    size_t touched_at; /* next of them that may be a new account's; TOUCHED: they are not known */
    uint64_t given_again;
};

/* Below `count`, by the run's own numbers. */
uint32_t fold_draw(struct run *run, uint32_t count);
const char *fold_id(int id, char text[16]);
const char *fold_key(int key, char text[16]);
void fold_icp(uint32_t version, char text[24]);
void fold_record(struct made *made, int id, uint32_t keys, int number);
/* Each as the store must do it, in the model that is tried; false: the store must refuse. */
bool fold_put(struct run *run, int id, uint32_t keys, int number, uint32_t now_s);
bool fold_patch(struct model *model, int id, uint32_t keys, int number, uint32_t now_s);
void fold_delete(struct model *model, int id, uint32_t now_s);
/* fold_check.c: the view holds what the model holds, byte for byte. */
void fold_check(const struct run *run, struct store_view *view, const struct model *model);

#endif
