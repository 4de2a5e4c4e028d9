/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the store share: a store in a temporary directory with a clock that is set,
 * records made from few words, an encoder whose codes can be worked out by hand. Ownership: a
 * fixture owns its directory and its store. Errors: a step that must not fail ends the test.
 * Threads: one. */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/store/store_parts.h"

/* Sanitizers cost a factor of ten and more: long loops are cut by this. */
#if defined(__SANITIZE_THREAD__)
#define TEST_SHORTER 20
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TEST_SHORTER 20
#endif
#endif
#ifndef TEST_SHORTER
#define TEST_SHORTER 1
#endif

struct fixture {
    char path[64];
    struct store *store;
    struct store_options options;
    struct store_tuning tuning;
    int64_t now_ms;
    struct store_change changes[64]; /* as told; texts are copied */
    char texts[64][64];
    uint32_t slots[64][8]; /* of lists, the first */
    size_t change_count;
    struct store_view *view;
};

void fixture_init(struct fixture *fixture);
void fixture_open(struct fixture *fixture);
void fixture_close(struct fixture *fixture);
void fixture_fini(struct fixture *fixture); /* removes the directory */
void fixture_remove(const char *path);

/* Record "id" with up to three keys (NULL ends them) and values: field 0 a number, 1 a category. */
struct made {
    uint8_t bytes[1024];
    size_t count;
};
void make_record(struct made *made, const char *id, const char *const *keys, double number,
                 const char *category);
struct proto_span made_span(const struct made *made);
struct proto_span span(const char *text);

/* Builds and submits a batch of one command, and waits. */
bool put_one(struct fixture *fixture, const char *id, const char *key, double number,
             struct store_result *result);
bool delete_one(struct fixture *fixture, const char *id, struct store_result *result);

/* store_batch_document in short. */
bool batch_schema(struct store_batch *batch, uint32_t version, struct proto_span text,
                  struct proto_fault *fault);
bool batch_icp(struct store_batch *batch, struct proto_span text, bool activate,
               struct proto_span reason, struct proto_fault *fault);
bool batch_tal(struct store_batch *batch, uint32_t number, const char *text, const char *const *ids,
               size_t count, struct proto_fault *fault);
/* The text of a stored document; false if there is none that can be read. */
bool document_text(enum store_document_kind kind, struct store_view *view, uint32_t number,
                   struct proto_span *text);

/* The fixture's view, refreshed. */
struct store_view *viewed(struct fixture *fixture);
uint32_t find_id(struct fixture *fixture, const char *id);
uint32_t find_key(struct fixture *fixture, const char *key);
/* Number of an account by id; -1 if there is no such account. */
double number_of(struct fixture *fixture, const char *id);
/* Fails the test if the scrub finds anything. */
void must_be_sound(struct fixture *fixture);
/* One number for all that a store holds; `derived` with what is made of the rest, too. */
uint64_t store_digest(struct store *store, bool derived);
/* Waits until the index and the rows are complete. */
void settle(struct fixture *fixture, uint64_t digest);

/* Writes the number (as u8), the first letter of the category, and `salt`, then zeros. */
struct store_encoder fixture_encoder(uint64_t digest, size_t code_bytes, uint8_t *salt);

#endif
