/* SPDX-License-Identifier: Apache-2.0 */
/* Scores accounts by id, many at a time, in a libuv loop.
 *
 *     cc uv_scores.c $(pkg-config --cflags --libs icp libuv) -o uv_scores
 *     ./uv_scores icp://127.0.0.1:4273 a1 a2 a3 */
#include <icp_uv.h>
#include <stdio.h>

#define QUESTIONS_MAX 100

struct run {
    struct icp_uv client;
    int failures;
    int left;
};

struct question {
    const char *id;
    struct run *run;
};

static void on_score(void *context, const struct icp_reply *reply)
{
    const struct question *question = context;
    struct run *run = question->run;
    struct icp_score score = {ICP_SCORE};
    struct icp_fault fault;
    if (icp_score_read(reply, &score, &fault)) {
        printf("%s: grade %c, fit %.0f\n", question->id, score.grade, score.fit);
    } else {
        printf("%s: %s: %s\n", question->id, icp_error_name(fault.code), fault.message);
        run->failures++;
    }
    icp_score_fini(&score);
    if (--run->left == 0) {
        icp_uv_close(&run->client, NULL);
    }
}

int main(int count, char **arguments)
{
    struct icp_fault fault;
    struct run run = {.failures = 0};
    struct question questions[QUESTIONS_MAX];
    if (count < 3 || count > 2 + QUESTIONS_MAX) {
        fprintf(stderr, "usage: uv_scores URI ID...\n");
        return 64;
    }
    uv_loop_t *loop = uv_default_loop();
    if (!icp_uv_init(&run.client, loop, arguments[1], NULL, &fault)) {
        fprintf(stderr, "%s\n", fault.message);
        return 1;
    }
    for (int i = 2; i < count; i++) {
        struct icp_query query = {ICP_QUERY, .id = arguments[i], .timeout_ms = 5000};
        questions[i - 2] = (struct question){arguments[i], &run};
        if (icp_uv_score(&run.client, &query, on_score, &questions[i - 2], &fault) != NULL) {
            run.left++;
        } else {
            fprintf(stderr, "%s: %s\n", arguments[i], fault.message);
        }
    }
    uv_run(loop, UV_RUN_DEFAULT);
    uv_loop_close(loop);
    return run.failures == 0 ? 0 : 1;
}
