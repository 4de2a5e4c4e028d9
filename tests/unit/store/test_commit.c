/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/store_fixture.h"

#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int setup(void **state)
{
    static struct fixture fixture;
    fixture_init(&fixture);
    fixture_open(&fixture);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    must_be_sound(*state);
    fixture_fini(*state);
    return 0;
}

/* Holds the writer in a callback, so that what is submitted meanwhile becomes one commit. */
struct gate {
    sem_t reached;
    sem_t pass;
};

static void gate_wait(void *context, const struct store_result *result)
{
    struct gate *gate = context;
    (void)result;
    sem_post(&gate->reached);
    sem_wait(&gate->pass);
}

static void gate_close(struct fixture *fixture, struct gate *gate)
{
    struct proto_fault fault;
    sem_init(&gate->reached, 0, 0);
    sem_init(&gate->pass, 0, 0);
    struct store_batch *batch = store_batch_create();
    assert_true(store_batch_delete(batch, span("nobody"), &fault));
    assert_true(store_submit(fixture->store, batch, gate_wait, gate, &fault));
    sem_wait(&gate->reached);
}

static void gate_open(struct gate *gate)
{
    sem_post(&gate->pass);
}

struct answer {
    sem_t done;
    struct store_result result;
};

static void answer_take(void *context, const struct store_result *result)
{
    struct answer *answer = context;
    answer->result = *result;
    sem_post(&answer->done);
}

static struct store_batch *batch_of(const char *id, const char *key, double number)
{
    struct made made;
    struct proto_fault fault;
    const char *keys[] = {key, NULL};
    struct store_batch *batch = store_batch_create();
    make_record(&made, id, keys, number, "x");
    assert_true(store_batch_put(batch, made_span(&made), &fault));
    return batch;
}

static void submit_one(struct fixture *fixture, struct store_batch *batch, struct answer *answer)
{
    struct proto_fault fault;
    sem_init(&answer->done, 0, 0);
    assert_true(store_submit(fixture->store, batch, answer_take, answer, &fault));
}

static void batches_that_wait_share_a_commit_and_a_refused_one_harms_none(void **state)
{
    struct fixture *fixture = *state;
    struct gate gate;
    struct answer answers[4];
    struct store_stats before;
    struct store_stats after;
    gate_close(fixture, &gate);
    store_stats(fixture->store, &before);
    submit_one(fixture, batch_of("a", "crm:1", 1), &answers[0]);
    submit_one(fixture, batch_of("b", "crm:1", 2), &answers[1]); /* conflicts with the one before */
    submit_one(fixture, batch_of("c", "crm:3", 3), &answers[2]);
    struct store_batch *patch = store_batch_create();
    struct made made;
    struct proto_fault fault;
    make_record(&made, "a", NULL, 9, NULL);
    assert_true(store_batch_patch(patch, made_span(&made), NULL, 0, &fault));
    submit_one(fixture, patch, &answers[3]); /* sees what the first of this commit did */
    gate_open(&gate);
    for (int i = 0; i < 4; i++) {
        sem_wait(&answers[i].done);
    }
    store_stats(fixture->store, &after);
    assert_int_equal(after.commits - before.commits, 1);
    assert_int_equal(after.batches - before.batches, 3);
    assert_int_equal(after.refused - before.refused, 1);
    assert_int_equal(answers[0].result.seq, 2);
    assert_int_equal(answers[1].result.fault.code, PROTO_CONFLICT);
    assert_int_equal(answers[2].result.seq, 3);
    assert_int_equal(answers[3].result.seq, 4);
    assert_true(number_of(fixture, "a") == 9);
    assert_true(number_of(fixture, "b") == -1);
    assert_true(number_of(fixture, "c") == 3);
    assert_int_equal(find_key(fixture, "crm:1"), 0);
}

static void a_full_queue_says_busy_and_takes_again_later(void **state)
{
    struct fixture *fixture = *state;
    struct gate gate;
    struct answer answers[2];
    struct proto_fault fault;
    fixture_close(fixture);
    fixture->options.queue_bytes_max = 200;
    fixture_open(fixture);
    gate_close(fixture, &gate);
    submit_one(fixture, batch_of("a", NULL, 1), &answers[0]);
    struct store_batch *batch = batch_of("b", "crm:some key that is long", 1);
    assert_false(store_submit(fixture->store, batch, answer_take, &answers[1], &fault));
    assert_int_equal(fault.code, PROTO_BUSY);
    gate_open(&gate);
    sem_wait(&answers[0].done);
    submit_one(fixture, batch, &answers[1]); /* it was still ours */
    sem_wait(&answers[1].done);
    assert_int_equal(answers[1].result.fault.code, PROTO_OK);
}

static void what_was_submitted_before_closing_is_committed(void **state)
{
    struct fixture *fixture = *state;
    struct gate gate;
    struct answer answers[20];
    char id[8];
    gate_close(fixture, &gate);
    for (int i = 0; i < 20; i++) {
        snprintf(id, sizeof id, "a%d", i);
        submit_one(fixture, batch_of(id, NULL, i), &answers[i]);
    }
    gate_open(&gate);
    fixture_close(fixture);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(answers[i].result.fault.code, PROTO_OK);
    }
    fixture_open(fixture);
    assert_int_equal(store_view_accounts(viewed(fixture)), 20);
}

static void the_log_keeps_the_newest_within_its_bytes(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    fixture_close(fixture);
    fixture->options.log_bytes_max = 2000;
    fixture_open(fixture);
    for (int i = 0; i < 50; i++) {
        assert_true(put_one(fixture, "acme", "crm:1", i, &result));
    }
    struct proto_fault fault;
    struct log_entry entry;
    assert_int_equal(store_view_seq(viewed(fixture)), 50);
    assert_int_equal(log_head(fixture->store->log), 50);
    struct log_reader *reader = log_reader_open(fixture->store->log, 49, &fault);
    assert_non_null(reader);
    assert_int_equal(log_reader_next(reader, &entry, &fault), LOG_GOT_ENTRY);
    assert_int_equal(entry.sequence, 50);
    assert_int_equal(entry.commands, 1);
    assert_int_equal(entry.time_ms, fixture->now_ms);
    log_reader_close(reader);
    /* Every start begins a segment: those that are folded go when they are too many bytes. */
    for (int i = 0; i < 3; i++) {
        fixture_close(fixture);
        fixture_open(fixture);
        assert_true(put_one(fixture, "acme", "crm:1", i, &result));
        assert_true(store_fold_wait(fixture->store, &fault));
    }
    assert_true(log_floor(fixture->store->log) > 50);
    assert_true(number_of(fixture, "acme") == 2);
}

static struct store_batch *large_batch(int first, int count)
{
    struct proto_fault fault;
    struct store_batch *batch = store_batch_create();
    static char text[900];
    char id[16];
    memset(text, 'x', sizeof text - 1);
    for (int i = first; i < first + count; i++) {
        struct made made;
        snprintf(id, sizeof id, "large%d", i);
        make_record(&made, id, NULL, i, text);
        assert_true(store_batch_put(batch, made_span(&made), &fault));
    }
    return batch;
}

/* Fills the store until it refuses; everything before stays readable, and it goes on when there is
 * room. */
static int fill(struct fixture *fixture)
{
    struct store_result result;
    int refused = 0;
    for (int i = 0; i < 1000 && refused < 4;) {
        if (store_submit_wait(fixture->store, large_batch(i * 100, 100), &result)) {
            refused = 0;
            i++;
            continue;
        }
        if (result.fault.code == PROTO_BUSY) {
            usleep(1000); /* the folder has not caught up */
            continue;
        }
        /* A page that was freed just now may make room: full is what stays full. */
        if (result.fault.code != PROTO_DISK_FULL) {
            fail_msg("%s", result.fault.message);
        }
        if (++refused == 4) {
            return i * 100;
        }
    }
    fail_msg("the store was never full");
    return 0;
}

static void all_there(struct fixture *fixture, int count)
{
    char id[16];
    for (int i = 0; i < count; i += 7) {
        snprintf(id, sizeof id, "large%d", i);
        assert_true(number_of(fixture, id) == i);
    }
    snprintf(id, sizeof id, "large%d", count);
    assert_true(number_of(fixture, id) == -1);
    assert_int_equal(store_view_accounts(viewed(fixture)), count);
}

static void a_full_map_refuses_without_harm(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    fixture_close(fixture);
    fixture_remove(fixture->path);
    fixture->options.map_bytes_max = (size_t)8 << 20;
    fixture->options.log_bytes_max = (size_t)1 << 20;
    fixture->options.fold_bytes = (size_t)1 << 20;
    fixture->options.overlay_bytes_max = (size_t)4 << 20;
    fixture_open(fixture);
    int count = fill(fixture);
    assert_true(count > 1000);
    all_there(fixture, count);
    must_be_sound(fixture);
    fixture_close(fixture);
    fixture->options.map_bytes_max = (size_t)64 << 20;
    fixture_open(fixture);
    all_there(fixture, count);
    if (!store_submit_wait(fixture->store, large_batch(count, 100), &result)) {
        fail_msg("%s", result.fault.message);
    }
}

/* A limit on the size of files stands in for a full disk: it needs no privileges and holds for
 * root. */
static void a_full_disk_refuses_without_harm_and_goes_on_when_there_is_room(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    fixture_close(fixture);
    fixture_remove(fixture->path);
    fixture->options.log_bytes_max = (size_t)1 << 20;
    fixture->options.fold_bytes = (size_t)1 << 20;
    fixture->options.overlay_bytes_max = (size_t)4 << 20;
    struct rlimit low = {.rlim_cur = (rlim_t)12 << 20, .rlim_max = before.rlim_max};
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    fixture_open(fixture);
    int count = fill(fixture);
    assert_true(count > 1000);
    all_there(fixture, count);
    must_be_sound(fixture);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    /* A commit of the background comes first: it must not bring in ids of the one that failed. */
    uint8_t salt = 1;
    struct store_encoder encoder = fixture_encoder(5, 40, &salt);
    store_set_encoder(fixture->store, &encoder);
    settle(fixture, 5);
    all_there(fixture, count);
    assert_true(store_submit_wait(fixture->store, large_batch(count, 100), &result));
    all_there(fixture, count + 100);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    assert_int_equal(fill(fixture) % 100, 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    fixture_close(fixture);
    fixture_open(fixture);
    must_be_sound(fixture);
}

/* A child writes until it is killed and tells through shared memory what was acknowledged. */
static void write_until_killed(struct fixture *fixture, volatile int *acknowledged, int first)
{
    fixture->store = NULL;
    fixture->view = NULL;
    fixture_open(fixture);
    uint8_t salt = 3;
    struct store_encoder encoder = fixture_encoder(11, 40, &salt);
    store_set_encoder(fixture->store, &encoder);
    for (int i = first;; i++) {
        struct store_result result;
        char text[16];
        snprintf(text, sizeof text, "k%d", i);
        if (!put_one(fixture, text, text, i % 100, &result)) {
            _exit(1);
        }
        if (i % 5 == 4) {
            snprintf(text, sizeof text, "k%d", i - 2);
            if (!delete_one(fixture, text, &result)) {
                _exit(1);
            }
        }
        *acknowledged = i;
    }
}

static void what_was_acknowledged_survives_kill_9(void **state)
{
    struct fixture *fixture = *state;
    volatile int *acknowledged =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(acknowledged, MAP_FAILED);
    fixture_close(fixture);
    *acknowledged = -1;
    for (int round = 0; round < 8; round++) {
        int target = *acknowledged + 10 + round * 3;
        int first = *acknowledged + 1;
        pid_t child = fork();
        if (child == 0) {
            write_until_killed(fixture, acknowledged, first);
        }
        while (*acknowledged < target) {
            usleep(500);
        }
        usleep((useconds_t)(round * 700));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        fixture_open(fixture);
        must_be_sound(fixture);
        for (int i = 0; i <= *acknowledged; i++) {
            char text[16];
            snprintf(text, sizeof text, "k%d", i);
            bool deleted = i % 5 == 2 && i + 2 <= *acknowledged;
            if (i % 5 == 2 && i + 2 > *acknowledged) {
                continue; /* the deletion may or may not have come through */
            }
            assert_true(number_of(fixture, text) == (deleted ? -1 : i % 100));
        }
        fixture_close(fixture);
    }
    munmap((void *)(uintptr_t)acknowledged, 4096);
    fixture_open(fixture);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(batches_that_wait_share_a_commit_and_a_refused_one_harms_none),
        T(a_full_queue_says_busy_and_takes_again_later),
        T(what_was_submitted_before_closing_is_committed),
        T(the_log_keeps_the_newest_within_its_bytes),
        T(a_full_map_refuses_without_harm),
        T(a_full_disk_refuses_without_harm_and_goes_on_when_there_is_room),
        T(what_was_acknowledged_survives_kill_9),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
