/* SPDX-License-Identifier: Apache-2.0 */
/* A router's view of several hosts: scores by id in open loop, for as long as its input stays open.
 *
 *     failover_load URI PER_SECOND DEADLINE_MS ACCOUNTS < /dev/zero
 *
 * A request is due every 1/PER_SECOND s, whatever became of those before it, and its time counts
 * from when it was due. Prints one line each when it is over: the account, when it was due and when
 * it was told (ms of the monotonic clock), and the fit, or the error's name. Accounts are a00000 to
 * ACCOUNTS - 1, in turn. Ends, once all were told, when its input does. */
#include <assert.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "client/icp_async.h"

struct load {
    struct icp_async *async;
    uint32_t deadline_ms;
    unsigned accounts;
    unsigned next;
    bool is_over;
};

struct question {
    unsigned account;
    int64_t due_ms;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void on_score(void *context, const struct icp_reply *reply)
{
    struct question *question = context;
    struct icp_score score = {ICP_SCORE};
    struct icp_fault fault;
    printf("a%05u %" PRId64 " %" PRId64 " ", question->account, question->due_ms, now_ms());
    if (icp_score_read(reply, &score, &fault)) {
        printf("%.6f\n", score.fit);
    } else {
        printf("%s\n", icp_error_name(fault.code));
    }
    icp_score_fini(&score);
    free(question);
}

static void ask(struct load *load, int64_t due_ms)
{
    struct question *question = malloc(sizeof *question);
    struct icp_fault fault;
    char id[16];
    assert(question != NULL);
    *question = (struct question){load->next++ % load->accounts, due_ms};
    snprintf(id, sizeof id, "a%05u", question->account);
    const struct icp_query query = {ICP_QUERY, .id = id, .timeout_ms = load->deadline_ms};
    if (icp_async_score(load->async, &query, on_score, question, &fault) == NULL) {
        fprintf(stderr, "%s\n", fault.message);
        exit(2);
    }
}

/* Waits for bytes, the end of the input, or a moment. */
static void wait_until(struct load *load, int64_t until_ms)
{
    int64_t left_ms = until_ms - now_ms();
    int turn_ms = icp_async_timeout_ms(load->async);
    int wait_ms = left_ms < 0 ? 0 : (int)left_ms;
    wait_ms = turn_ms >= 0 && turn_ms < wait_ms ? turn_ms : wait_ms;
    struct pollfd watched[2] = {{.fd = icp_async_fd(load->async), .events = POLLIN},
                                {.fd = load->is_over ? -1 : STDIN_FILENO, .events = POLLIN}};
    char byte = 0;
    (void)poll(watched, 2, wait_ms);
    if (watched[1].revents != 0 && read(STDIN_FILENO, &byte, 1) <= 0) {
        load->is_over = true;
    }
    icp_async_turn(load->async);
}

int main(int count, char **arguments)
{
    struct icp_fault fault;
    if (count != 5) {
        fprintf(stderr, "usage: failover_load URI PER_SECOND DEADLINE_MS ACCOUNTS\n");
        return 64;
    }
    const double gap_ms = 1000.0 / strtod(arguments[2], NULL);
    struct load load = {.deadline_ms = (uint32_t)strtoul(arguments[3], NULL, 10),
                        .accounts = (unsigned)strtoul(arguments[4], NULL, 10)};
    load.async = icp_async_create(arguments[1], NULL, &fault);
    if (load.async == NULL) {
        fprintf(stderr, "%s\n", fault.message);
        return 2;
    }
    double due_ms = (double)now_ms();
    while (!load.is_over || icp_async_in_flight(load.async) > 0) {
        for (; !load.is_over && (double)now_ms() >= due_ms; due_ms += gap_ms) {
            ask(&load, (int64_t)due_ms);
        }
        wait_until(&load, load.is_over ? now_ms() + 100 : (int64_t)due_ms + 1);
    }
    icp_async_destroy(load.async);
    return 0;
}
