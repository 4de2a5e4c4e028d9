/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/metrics.h"

static void values_are_summed_over_the_blocks(void **state)
{
    (void)state;
    struct base_metrics *metrics = base_metrics_create(3);
    for (size_t i = 0; i < 3; i++) {
        base_metrics_add(base_metrics_block(metrics, i), BASE_METRIC_SCORES, (int64_t)i + 1);
    }
    assert_int_equal(base_metrics_value(metrics, BASE_METRIC_SCORES), 6);
    assert_int_equal(base_metrics_value(metrics, BASE_METRIC_LOGINS), 0);
    base_metrics_destroy(metrics);
}

static void gauge_may_rise_on_one_block_and_fall_on_another(void **state)
{
    (void)state;
    struct base_metrics *metrics = base_metrics_create(2);
    base_metrics_add(base_metrics_block(metrics, 0), BASE_METRIC_JOBS_RUNNING, 2);
    base_metrics_add(base_metrics_block(metrics, 1), BASE_METRIC_JOBS_RUNNING, -1);
    assert_int_equal(base_metrics_value(metrics, BASE_METRIC_JOBS_RUNNING), 1);
    base_metrics_destroy(metrics);
}

static void request_counts_its_operation_error_and_latency(void **state)
{
    (void)state;
    struct base_metrics *metrics = base_metrics_create(1);
    struct base_metrics_block *block = base_metrics_block(metrics, 0);
    base_metrics_request(block, PROTO_OP_SCORE, PROTO_OK, 1000);
    base_metrics_request(block, PROTO_OP_SCORE, PROTO_NOT_FOUND, 3000);
    base_metrics_request(block, PROTO_OP_PING, PROTO_OK, 10);
    assert_int_equal(base_metrics_requests(metrics, PROTO_OP_SCORE), 2);
    assert_int_equal(base_metrics_requests(metrics, PROTO_OP_PING), 1);
    assert_int_equal(base_metrics_errors(metrics, PROTO_NOT_FOUND), 1);
    assert_int_equal(base_metrics_errors(metrics, PROTO_BUSY), 0);
    struct base_histogram *latency = calloc(1, sizeof *latency);
    assert_non_null(latency);
    base_metrics_latency(metrics, PROTO_OP_SCORE, latency);
    assert_int_equal(base_histogram_total(latency), 2);
    assert_int_equal(base_histogram_max(latency), 3000);
    free(latency);
    base_metrics_destroy(metrics);
}

static void unknown_operations_and_errors_are_counted_together(void **state)
{
    (void)state;
    struct base_metrics *metrics = base_metrics_create(1);
    struct base_metrics_block *block = base_metrics_block(metrics, 0);
    base_metrics_request(block, 0, PROTO_UNKNOWN_OP, 1);
    base_metrics_request(block, 255, 199, 1);
    base_metrics_request(block, 254, 100000, 1);
    assert_int_equal(base_metrics_requests(metrics, 253), 3);
    assert_int_equal(base_metrics_errors(metrics, 198), 2);
    base_metrics_destroy(metrics);
}

static void distribution_is_merged_over_the_blocks(void **state)
{
    (void)state;
    struct base_metrics *metrics = base_metrics_create(2);
    base_metrics_record(base_metrics_block(metrics, 0), BASE_DISTRIBUTION_BATCH_FRAMES, 1);
    base_metrics_record(base_metrics_block(metrics, 1), BASE_DISTRIBUTION_BATCH_FRAMES, 64);
    struct base_histogram *frames = calloc(1, sizeof *frames);
    assert_non_null(frames);
    base_metrics_distribution(metrics, BASE_DISTRIBUTION_BATCH_FRAMES, frames);
    assert_int_equal(base_histogram_total(frames), 2);
    assert_int_equal(base_histogram_sum(frames), 65);
    free(frames);
    base_metrics_destroy(metrics);
}

static void infos_list_values_then_distributions_with_names_of_their_own(void **state)
{
    (void)state;
    size_t count;
    const struct base_metric_info *infos = base_metric_infos(&count);
    assert_int_equal(count, BASE_METRIC_COUNT + BASE_DISTRIBUTION_COUNT);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(infos[i].kind == BASE_DISTRIBUTION, i >= BASE_METRIC_COUNT);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(infos[i].name, infos[j].name);
        }
    }
}

static void blocks_do_not_share_cache_lines(void **state)
{
    (void)state;
    struct base_metrics *metrics = base_metrics_create(2);
    assert_int_equal((uintptr_t)base_metrics_block(metrics, 0) % 128, 0);
    assert_int_equal((uintptr_t)base_metrics_block(metrics, 1) % 128, 0);
    base_metrics_destroy(metrics);
}

static void *count_scores(void *context)
{
    for (int i = 0; i < 100000; i++) {
        base_metrics_add(context, BASE_METRIC_SCORES, 1);
        base_metrics_request(context, PROTO_OP_SCORE, PROTO_OK, 100);
    }
    return NULL;
}

static void threads_count_on_their_blocks_while_another_reads(void **state)
{
    (void)state;
    struct base_metrics *metrics = base_metrics_create(2);
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(
            pthread_create(&threads[i], NULL, count_scores, base_metrics_block(metrics, i)), 0);
    }
    while (base_metrics_requests(metrics, PROTO_OP_SCORE) < 100000) {
        assert_true(base_metrics_value(metrics, BASE_METRIC_SCORES) <= 200000);
    }
    for (size_t i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(base_metrics_value(metrics, BASE_METRIC_SCORES), 200000);
    base_metrics_destroy(metrics);
}

static void reference_has_a_row_for_each_metric(void **state)
{
    (void)state;
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    base_metrics_reference(out);
    fclose(out);
    size_t count;
    size_t rows = 0;
    base_metric_infos(&count);
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++) {
        rows++;
    }
    assert_int_equal(rows, count + 2);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_summed_over_the_blocks),
        cmocka_unit_test(gauge_may_rise_on_one_block_and_fall_on_another),
        cmocka_unit_test(request_counts_its_operation_error_and_latency),
        cmocka_unit_test(unknown_operations_and_errors_are_counted_together),
        cmocka_unit_test(distribution_is_merged_over_the_blocks),
        cmocka_unit_test(infos_list_values_then_distributions_with_names_of_their_own),
        cmocka_unit_test(blocks_do_not_share_cache_lines),
        cmocka_unit_test(threads_count_on_their_blocks_while_another_reads),
        cmocka_unit_test(reference_has_a_row_for_each_metric),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
