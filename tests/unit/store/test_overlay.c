/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/store_fixture.h"

#include <pthread.h>
#include <stdlib.h>

#include "server/store/moment.h"
#include "server/store/store_parts.h"

static struct store_generation *make(uint64_t begin, struct store_generation *older)
{
    struct proto_fault fault;
    struct store_generation *generation = store_generation_create(begin, 0, older, &fault);
    assert_non_null(generation);
    return generation;
}

/* A version whose value and row are its sequence, over and over. */
static void change(struct store_generation *generation, uint32_t slot, uint64_t seq, size_t bytes,
                   struct store_links *links)
{
    struct proto_fault fault;
    uint8_t *value;
    uint8_t *row;
    struct store_version *version =
        store_overlay_version(generation, bytes, 64, &value, &row, &fault);
    assert_non_null(version);
    assert_int_equal((uintptr_t)row % 64, 0);
    memset(value, (int)(seq & 0xff), bytes);
    memset(row, (int)(seq & 0xff), 64);
    version->seq = seq;
    assert_true(store_overlay_link(generation, slot, version, links, &fault));
}

static void must_be(const struct store_generation *generation, uint32_t slot, uint64_t seq,
                    uint64_t expected)
{
    const struct store_version *version = store_generation_version(generation, slot, seq);
    if (expected == 0) {
        assert_null(version);
        return;
    }
    assert_non_null(version);
    assert_int_equal(version->seq, expected);
    assert_int_equal(version->value.data[0], expected & 0xff);
    assert_int_equal(version->row[63], expected & 0xff);
}

static void a_reader_finds_the_newest_version_up_to_its_sequence(void **state)
{
    (void)state;
    struct store_links links = {0};
    struct store_generation *generation = make(10, NULL);
    change(generation, 7, 11, 100, &links);
    change(generation, 7, 13, 3 << 20, &links); /* more than a chunk of memory */
    change(generation, 8, 13, 100, &links);
    change(generation, 7, 17, 100, &links);
    must_be(generation, 7, 10, 0);
    must_be(generation, 7, 11, 11);
    must_be(generation, 7, 12, 11);
    must_be(generation, 7, 16, 13);
    must_be(generation, 7, UINT64_MAX, 17);
    must_be(generation, 8, 12, 0);
    must_be(generation, 9, UINT64_MAX, 0);
    assert_int_equal(atomic_load(&generation->least), 7);
    free(links.list);
    store_generation_destroy(generation);
}

static void what_is_taken_back_is_gone_and_what_was_before_is_there(void **state)
{
    (void)state;
    struct proto_fault fault;
    struct store_links links = {0};
    struct store_generation *generation = make(0, NULL);
    struct proto_span text = span("crm:1");
    uint8_t *value;
    change(generation, 1, 1, 50, &links);
    assert_true(store_overlay_own(generation, STORE_KIND_KEY, 5, text, STORE_NO_SLOT, 1, 1, &links,
                                  &fault));
    links.count = 0; /* committed */
    change(generation, 1, 2, 50, &links);
    change(generation, 2, 2, 50, &links);
    assert_true(store_overlay_own(generation, STORE_KIND_KEY, 5, text, 1, 2, 2, &links, &fault));
    assert_non_null(
        store_overlay_paper(generation, DISK_TABLE_ICP, 1, 40, 2, &value, &links, &fault));
    memset(value, 0, 40);
    assert_int_equal(store_generation_owner(generation, STORE_KIND_KEY, 5, text, 9)->slot, 2);
    store_overlay_undo(generation, &links);
    must_be(generation, 1, 9, 1);
    must_be(generation, 2, 9, 0);
    assert_int_equal(store_generation_owner(generation, STORE_KIND_KEY, 5, text, 9)->slot, 1);
    assert_null(store_generation_paper(generation, DISK_TABLE_ICP, 1, 9));
    struct store_slot_cell *slots[2];
    assert_int_equal(generation->slot_count, 2);
    assert_int_equal(store_generation_slots(generation, slots), 1);
    assert_int_equal(slots[0]->slot, 1);
    free(links.list);
    store_generation_destroy(generation);
}

static void texts_are_told_apart_by_kind_and_text_whatever_their_hash(void **state)
{
    (void)state;
    struct proto_fault fault;
    struct store_links links = {0};
    struct store_generation *generation = make(0, NULL);
    const struct store_owner *owner;
    assert_true(store_overlay_own(generation, STORE_KIND_KEY, 5, span("a"), STORE_NO_SLOT, 1, 1,
                                  &links, &fault));
    assert_true(store_overlay_own(generation, STORE_KIND_ID, 5, span("a"), STORE_NO_SLOT, 2, 1,
                                  &links, &fault));
    assert_true(store_overlay_own(generation, STORE_KIND_KEY, 5, span("b"), 9, STORE_NO_SLOT, 1,
                                  &links, &fault));
    owner = store_generation_owner(generation, STORE_KIND_KEY, 5, span("a"), 1);
    assert_int_equal(owner->slot, 1);
    owner = store_generation_owner(generation, STORE_KIND_ID, 5, span("a"), 1);
    assert_int_equal(owner->slot, 2);
    owner = store_generation_owner(generation, STORE_KIND_KEY, 5, span("b"), 1);
    assert_int_equal(owner->slot, STORE_NO_SLOT);
    assert_null(store_generation_owner(generation, STORE_KIND_ID, 5, span("b"), 1));
    free(links.list);
    store_generation_destroy(generation);
}

static void tables_grow_and_lose_nothing(void **state)
{
    (void)state;
    enum { SLOTS = 20000 };
    struct store_links links = {0};
    struct store_generation *generation = make(0, NULL);
    for (uint32_t i = 0; i < SLOTS; i++) {
        change(generation, i * 3, i + 1, 24, &links);
    }
    for (uint32_t i = 0; i < SLOTS; i++) {
        must_be(generation, i * 3, UINT64_MAX, i + 1);
        must_be(generation, i * 3 + 1, UINT64_MAX, 0);
    }
    assert_int_equal(generation->slot_count, SLOTS);
    assert_true(generation->bytes > SLOTS * (24 + 64));
    free(links.list);
    store_generation_destroy(generation);
}

/* Readers beside the one writer: whatever they find must be whole, and of the moment they took. */
struct shared {
    struct store_generation *generation;
    struct store_moments moments;
    _Atomic bool stop;
    _Atomic uint64_t looks;
};

enum { SHARED_SLOTS = 50 };

static void *look_until_stopped(void *context)
{
    struct shared *shared = context;
    uint32_t slot = 0;
    while (!atomic_load(&shared->stop)) {
        struct disk_state moment = {0};
        const struct store_generation *newest;
        store_moment_get(&shared->moments, &moment, &newest);
        assert_int_equal(moment.accounts, moment.seq * 2);
        assert_int_equal(moment.slots, (uint32_t)moment.seq);
        slot = (slot + 1) % SHARED_SLOTS;
        const struct store_version *version = store_generation_version(newest, slot, moment.seq);
        /* Slot s is changed at every sequence that leaves s when divided by their number. */
        uint64_t expected = moment.seq - (moment.seq - slot) % SHARED_SLOTS;
        if (moment.seq < SHARED_SLOTS) {
            continue;
        }
        assert_non_null(version);
        assert_int_equal(version->seq, expected);
        for (size_t i = 0; i < version->value.bytes; i++) {
            assert_int_equal(version->value.data[i], expected & 0xff);
        }
        atomic_fetch_add(&shared->looks, 1);
    }
    return NULL;
}

static void readers_find_whole_versions_of_their_moment_while_it_is_written(void **state)
{
    (void)state;
    enum { CHANGES = 100000 / TEST_SHORTER, READERS = 3 };
    static struct shared shared;
    struct store_links links = {0};
    pthread_t threads[READERS];
    shared.generation = make(0, NULL);
    struct disk_state counters = {0};
    store_moment_set(&shared.moments, &counters, shared.generation);
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, look_until_stopped, &shared), 0);
    }
    for (uint64_t seq = 1; seq <= CHANGES || atomic_load(&shared.looks) < 100; seq++) {
        change(shared.generation, (uint32_t)(seq % SHARED_SLOTS), seq, 40, &links);
        if (seq % 7 == 0) { /* this one could not be committed, and is made again */
            links.list[0] = links.list[links.count - 1];
            links.count = 1;
            store_overlay_undo(shared.generation, &links);
            change(shared.generation, (uint32_t)(seq % SHARED_SLOTS), seq, 40, &links);
        }
        links.count = 0;
        counters = (struct disk_state){.seq = seq, .accounts = seq * 2, .slots = (uint32_t)seq};
        store_moment_set(&shared.moments, &counters, shared.generation);
    }
    atomic_store(&shared.stop, true);
    for (int i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
    }
    free(links.list);
    store_generation_destroy(shared.generation);
}

static uint64_t delay_ns(struct store *store, size_t overlay_bytes, size_t group_bytes)
{
    atomic_store(&store->overlay_bytes, overlay_bytes);
    return store_overlay_delay_ns(store, group_bytes);
}

/* Bytes come in at a rate that falls as the overlay fills, whatever groups they come in: a small
 * group does not pay for large ones. */
static void groups_are_held_back_by_their_bytes(void **state)
{
    enum { MOST = 100 << 20, GROUP = 1 << 18 };
    (void)state;
    struct store *store = calloc(1, sizeof *store);
    assert_non_null(store);
    store->options.overlay_bytes_max = MOST;
    assert_int_equal(delay_ns(store, MOST / 2, GROUP), 0);
    uint64_t before = 0;
    for (size_t percent = 70; percent <= 95; percent += 5) {
        uint64_t whole = delay_ns(store, MOST / 100 * percent, GROUP);
        uint64_t part = delay_ns(store, MOST / 100 * percent, GROUP / 64);
        assert_true(whole > before && whole < 500000000);
        assert_in_range(part, whole / 64 - 1, whole / 64 + 1);
        before = whole;
    }
    /* At the bound a group of megabytes waits the longest that any does. */
    assert_int_equal(delay_ns(store, MOST, 64 << 20), 500000000);
    assert_int_equal(delay_ns(store, (size_t)2 * MOST, 64 << 20), 500000000);
    free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_finds_the_newest_version_up_to_its_sequence),
        cmocka_unit_test(what_is_taken_back_is_gone_and_what_was_before_is_there),
        cmocka_unit_test(texts_are_told_apart_by_kind_and_text_whatever_their_hash),
        cmocka_unit_test(tables_grow_and_lose_nothing),
        cmocka_unit_test(readers_find_whole_versions_of_their_moment_while_it_is_written),
        cmocka_unit_test(groups_are_held_back_by_their_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
