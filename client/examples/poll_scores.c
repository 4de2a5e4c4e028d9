/* SPDX-License-Identifier: Apache-2.0 */
/* Scores accounts by id, many at a time, in a loop of one's own around poll(2).
 *
 *     cc poll_scores.c $(pkg-config --cflags --libs icp) -o poll_scores
 *     ./poll_scores icp://127.0.0.1:4273 a1 a2 a3 */
#include <icp_async.h>
#include <poll.h>
#include <stdio.h>

#define QUESTIONS_MAX 100

struct question {
    const char *id;
    int *failures;
};

static void on_score(void *context, const struct icp_reply *reply)
{
    const struct question *question = context;
    struct icp_score score = {ICP_SCORE};
    struct icp_fault fault;
    if (icp_score_read(reply, &score, &fault)) {
        printf("%s: grade %c, fit %.0f\n", question->id, score.grade, score.fit);
    } else {
        printf("%s: %s: %s\n", question->id, icp_error_name(fault.code), fault.message);
        ++*question->failures;
    }
    icp_score_fini(&score);
}

int main(int count, char **arguments)
{
    struct icp_fault fault;
    struct question questions[QUESTIONS_MAX];
    int failures = 0;
    if (count < 3 || count > 2 + QUESTIONS_MAX) {
        fprintf(stderr, "usage: poll_scores URI ID...\n");
        return 64;
    }
    struct icp_async *client = icp_async_create(arguments[1], NULL, &fault);
    if (client == NULL) {
        fprintf(stderr, "%s\n", fault.message);
        return 1;
    }
    for (int i = 2; i < count; i++) {
        struct icp_query query = {ICP_QUERY, .id = arguments[i], .timeout_ms = 5000};
        questions[i - 2] = (struct question){arguments[i], &failures};
        if (icp_async_score(client, &query, on_score, &questions[i - 2], &fault) == NULL) {
            fprintf(stderr, "%s: %s\n", arguments[i], fault.message);
        }
    }
    /* The loop: other descriptors would stand in the array too, and other timers would shorten the
     * wait. */
    while (icp_async_in_flight(client) > 0) {
        struct pollfd watched = {.fd = icp_async_fd(client), .events = POLLIN};
        poll(&watched, 1, icp_async_timeout_ms(client));
        icp_async_turn(client);
    }
    icp_async_destroy(client);
    return failures == 0 ? 0 : 1;
}
