/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/store_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "server/store/dump.h"

struct proto_span span(const char *text)
{
    return proto_span_text(text);
}

static int64_t fixture_now(void *context)
{
    return ((struct fixture *)context)->now_ms;
}

static void fixture_change(void *context, const struct store_change *change)
{
    struct fixture *fixture = context;
    assert_true(fixture->change_count < 64);
    size_t i = fixture->change_count++;
    fixture->changes[i] = *change;
    snprintf(fixture->texts[i], sizeof fixture->texts[i], "%.*s", (int)change->text.bytes,
             (const char *)change->text.data);
    fixture->changes[i].text = span(fixture->texts[i]);
    if (change->slots.bytes > 0 && change->slots.bytes <= sizeof fixture->slots[i]) {
        memcpy(fixture->slots[i], change->slots.data, change->slots.bytes);
    }
}

void fixture_init(struct fixture *fixture)
{
    *fixture = (struct fixture){.path = "/tmp/icpd-store-XXXXXX", .now_ms = 1700000000000};
    assert_non_null(mkdtemp(fixture->path));
    fixture->options = (struct store_options){.path = fixture->path,
                                              .map_bytes_max = (size_t)1 << 30,
                                              .now_ms = fixture_now,
                                              .now_context = fixture,
                                              .on_change = fixture_change,
                                              .change_context = fixture};
    fixture->tuning.segment_bytes = (size_t)1 << 20; /* quickly filled with zeros */
}

void fixture_open(struct fixture *fixture)
{
    struct proto_fault fault = {.code = PROTO_OK};
    fixture->change_count = 0;
    fixture->store = store_open_tuned(&fixture->options, &fixture->tuning, &fault);
    if (fixture->store == NULL) {
        fail_msg("store_open: %s", fault.message);
    }
    fixture->view = store_view_open(fixture->store, &fault);
    assert_non_null(fixture->view);
}

void fixture_close(struct fixture *fixture)
{
    store_view_close(fixture->view);
    fixture->view = NULL;
    store_close(fixture->store);
    fixture->store = NULL;
}

void fixture_remove(const char *path)
{
    DIR *directory = opendir(path);
    if (directory == NULL) {
        return;
    }
    char name[512];
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.' && unlink(name) != 0) {
            fixture_remove(name); /* a folder */
        }
    }
    closedir(directory);
    rmdir(path);
}

void fixture_fini(struct fixture *fixture)
{
    if (fixture->store != NULL) {
        fixture_close(fixture);
    }
    fixture_remove(fixture->path);
}

void make_record(struct made *made, const char *id, const char *const *keys, double number,
                 const char *category)
{
    struct proto_span key_spans[8];
    struct proto_span source = span("test");
    struct proto_fault fault;
    struct feature_value values[2] = {
        {.present = true, .type = FEATURE_NUMBER, .time_ms = 5, .number = number},
        {.present = category != NULL, .type = FEATURE_CATEGORY, .time_ms = 6}};
    if (category != NULL) {
        values[1].text = span(category);
    }
    struct feature_record record = {.id = span(id),
                                    .keys = key_spans,
                                    .sources = &source,
                                    .source_count = 1,
                                    .values = values,
                                    .value_slots = 2};
    for (; keys != NULL && keys[record.key_count] != NULL; record.key_count++) {
        key_spans[record.key_count] = span(keys[record.key_count]);
    }
    made->count = feature_record_encode(&record, made->bytes, sizeof made->bytes, &fault);
    assert_in_range(made->count, 1, sizeof made->bytes);
}

struct proto_span made_span(const struct made *made)
{
    return (struct proto_span){made->bytes, made->count};
}

bool put_one(struct fixture *fixture, const char *id, const char *key, double number,
             struct store_result *result)
{
    struct made made;
    struct proto_fault fault;
    const char *keys[] = {key, NULL};
    struct store_batch *batch = store_batch_create();
    make_record(&made, id, keys, number, "Software");
    assert_true(store_batch_put(batch, made_span(&made), &fault));
    return store_submit_wait(fixture->store, batch, result);
}

bool delete_one(struct fixture *fixture, const char *id, struct store_result *result)
{
    struct proto_fault fault;
    struct store_batch *batch = store_batch_create();
    assert_true(store_batch_delete(batch, span(id), &fault));
    return store_submit_wait(fixture->store, batch, result);
}

struct store_view *viewed(struct fixture *fixture)
{
    struct proto_fault fault;
    assert_true(store_view_refresh(fixture->view, &fault));
    return fixture->view;
}

uint32_t find_id(struct fixture *fixture, const char *id)
{
    struct proto_fault fault = {.code = PROTO_OK};
    uint32_t slot = store_find_id(viewed(fixture), span(id), &fault);
    assert_int_equal(fault.code, PROTO_OK);
    return slot;
}

uint32_t find_key(struct fixture *fixture, const char *key)
{
    struct proto_fault fault = {.code = PROTO_OK};
    uint32_t slot = store_find_key(viewed(fixture), span(key), &fault);
    assert_int_equal(fault.code, PROTO_OK);
    return slot;
}

double number_of(struct fixture *fixture, const char *id)
{
    struct proto_span bytes;
    struct proto_fault fault;
    struct feature_record record;
    struct feature_value values[2];
    uint32_t slot = find_id(fixture, id);
    if (slot == STORE_NO_SLOT) {
        return -1;
    }
    assert_true(store_record(fixture->view, slot, &bytes, &fault));
    assert_true(feature_record_open(bytes, true, &record, &fault));
    assert_true(proto_span_is(record.id, id));
    feature_record_values(&record, values, 2);
    return values[0].present ? values[0].number : -2;
}

static void tell_bad(void *context, const char *what)
{
    (void)context;
    print_error("scrub: %s\n", what);
}

void must_be_sound(struct fixture *fixture)
{
    struct proto_fault fault;
    assert_int_equal(store_scrub(fixture->store, tell_bad, NULL, &fault), 0);
}

void settle(struct fixture *fixture, uint64_t digest)
{
    for (int i = 0; i < 20000; i++) {
        struct store_stats stats;
        store_stats(fixture->store, &stats);
        struct store_view *view = viewed(fixture);
        if (stats.index_ready != 0 && store_view_rows_digest(view) == digest &&
            (digest == 0 || store_view_rows_slots(view) == store_view_slots(view))) {
            return;
        }
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    fail_msg("the store did not settle");
}

static void encode(void *context, const struct feature_value *values, size_t slots, uint8_t *codes)
{
    assert_true(slots >= 2);
    codes[0] = values[0].present ? (uint8_t)(unsigned)values[0].number : 0;
    codes[1] = values[1].present ? values[1].text.data[0] : 0;
    codes[2] = context == NULL ? 0 : *(const uint8_t *)context;
}

struct store_encoder fixture_encoder(uint64_t digest, size_t code_bytes, uint8_t *salt)
{
    return (struct store_encoder){.context = salt,
                                  .digest = digest,
                                  .code_bytes = code_bytes,
                                  .value_slots = 2,
                                  .encode = encode};
}

bool batch_schema(struct store_batch *batch, uint32_t version, struct proto_span text,
                  struct proto_fault *fault)
{
    struct store_document document = {
        .kind = STORE_DOCUMENT_SCHEMA, .number = version, .text = text};
    return store_batch_document(batch, &document, fault);
}

bool batch_icp(struct store_batch *batch, struct proto_span text, bool activate,
               struct proto_span reason, struct proto_fault *fault)
{
    struct store_document document = {
        .kind = STORE_DOCUMENT_ICP, .text = text, .activate = activate, .reason = reason};
    return store_batch_document(batch, &document, fault);
}

bool batch_tal(struct store_batch *batch, uint32_t number, const char *text, const char *const *ids,
               size_t count, struct proto_fault *fault)
{
    struct proto_span *spans = calloc(count + 1, sizeof *spans);
    assert_non_null(spans);
    for (size_t i = 0; i < count; i++) {
        spans[i] = span(ids[i]);
    }
    struct store_document document = {.kind = STORE_DOCUMENT_TAL,
                                      .number = number,
                                      .text = span(text),
                                      .ids = spans,
                                      .id_count = count};
    bool good = store_batch_document(batch, &document, fault);
    free(spans);
    return good;
}

bool document_text(enum store_document_kind kind, struct store_view *view, uint32_t number,
                   struct proto_span *text)
{
    struct store_change change;
    struct proto_fault fault;
    bool good = store_document_get(view, kind, number, &change, &fault);
    *text = change.text;
    return good;
}

uint64_t store_digest(struct store *store, bool derived)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_entry entry;
    struct store_dump *dump = store_dump_open(store, &fault);
    uint64_t digest = 0;
    enum disk_got got;
    assert_non_null(dump);
    while ((got = store_dump_next(dump, &entry, &fault)) == DISK_GOT_ONE) {
        bool skip =
            entry.table == DISK_TABLE_META ||
            (!derived && (entry.table == DISK_TABLE_ROW || entry.table == DISK_TABLE_VECTOR));
        if (!skip) {
            digest = digest * 31 + disk_get_u64(entry.value.data) + entry.key;
        }
    }
    assert_int_equal(got, DISK_GOT_NONE);
    store_dump_close(dump);
    return digest;
}
