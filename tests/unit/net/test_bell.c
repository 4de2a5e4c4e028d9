/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/net_fixture.h"

#include "server/net/net_worker.h"

enum { THREADS = 4, PIECES = 20000 };

struct heard {
    unsigned times;
    uv_loop_t *loop;
};

static void on_ring(void *context)
{
    struct heard *heard = context;
    heard->times++;
    uv_stop(heard->loop);
}

static void bell_end(struct net_bell *bell, uv_loop_t *loop)
{
    uv_close((uv_handle_t *)&bell->poll, NULL);
    uv_run(loop, UV_RUN_DEFAULT);
    net_bell_fini(bell);
    assert_int_equal(uv_loop_close(loop), 0);
}

static void rings_that_nobody_heard_yet_are_one(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct net_bell bell;
    struct heard heard = {.loop = &loop};
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(net_bell_init(&bell, &loop, on_ring, &heard), 0);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(heard.times, 0);
    for (int i = 0; i < 5; i++) {
        net_bell_ring(&bell);
    }
    uv_run(&loop, UV_RUN_NOWAIT);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(heard.times, 1);
    net_bell_ring(&bell);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(heard.times, 2);
    bell_end(&bell, &loop);
}

static void *ring(void *bell)
{
    net_bell_ring(bell);
    return NULL;
}

static void a_loop_that_waits_hears_a_ring_of_another_thread(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct net_bell bell;
    pthread_t thread;
    struct heard heard = {.loop = &loop};
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(net_bell_init(&bell, &loop, on_ring, &heard), 0);
    assert_int_equal(pthread_create(&thread, NULL, ring, &bell), 0);
    uv_run(&loop, UV_RUN_DEFAULT); /* ends by uv_stop alone */
    assert_int_equal(heard.times, 1);
    pthread_join(thread, NULL);
    bell_end(&bell, &loop);
}

struct sender {
    struct net_worker *worker;
    int first;
};

static void *send_pieces(void *argument)
{
    const struct sender *sender = argument;
    for (int i = 0; i < PIECES; i++) {
        assert_true(net_mail_socket(sender->worker, sender->first + i, NET_MAIL_SOCKET));
    }
    return NULL;
}

/* Each thread's pieces come in the order in which it sent them; none is lost, and the worker that
 * is awake whenever the bell rings has taken all in the end. */
static void mail_of_many_threads_comes_whole_and_in_order(void **state)
{
    (void)state;
    uv_loop_t loop;
    static struct net_worker worker;
    struct heard heard = {.loop = &loop};
    struct sender senders[THREADS];
    pthread_t threads[THREADS];
    int next[THREADS];
    int left = THREADS * PIECES;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(net_bell_init(&worker.wake, &loop, on_ring, &heard), 0);
    for (int i = 0; i < THREADS; i++) {
        next[i] = i * PIECES;
        senders[i] = (struct sender){&worker, next[i]};
        assert_int_equal(pthread_create(&threads[i], NULL, send_pieces, &senders[i]), 0);
    }
    while (left > 0) {
        uv_run(&loop, UV_RUN_DEFAULT);
        for (struct net_mail *mail = net_mail_take_all(&worker); mail != NULL; left--) {
            struct net_mail *after = mail->next;
            assert_int_equal(mail->fd, next[mail->fd / PIECES]++);
            free(mail);
            mail = after;
        }
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(next[i], (i + 1) * PIECES);
    }
    assert_null(net_mail_take_all(&worker));
    bell_end(&worker.wake, &loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rings_that_nobody_heard_yet_are_one),
        cmocka_unit_test(a_loop_that_waits_hears_a_ring_of_another_thread),
        cmocka_unit_test(mail_of_many_threads_comes_whole_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
