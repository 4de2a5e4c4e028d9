/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>

#include "server/base/histogram.h"

static struct base_histogram *histogram_create(void)
{
    struct base_histogram *histogram = calloc(1, sizeof *histogram);
    assert_non_null(histogram);
    return histogram;
}

static void every_value_lies_in_its_bucket_within_one_part_in_32(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < BASE_HISTOGRAM_VALUE_BITS; bit++) {
        for (int64_t step = -2; step <= 2; step++) {
            uint64_t value = ((uint64_t)1 << bit) + (uint64_t)step;
            if (value >> BASE_HISTOGRAM_VALUE_BITS != 0) {
                continue;
            }
            size_t bucket = base_histogram_bucket(value);
            assert_true(bucket < BASE_HISTOGRAM_BUCKETS);
            uint64_t end = base_histogram_bucket_end(bucket);
            assert_true(end >= value);
            if (bucket + 1 < BASE_HISTOGRAM_BUCKETS) {
                assert_true(end - value <= value / 32);
            }
            if (bucket > 0) {
                assert_true(base_histogram_bucket_end(bucket - 1) < value);
            }
        }
    }
}

static void buckets_follow_each_other_without_a_gap(void **state)
{
    (void)state;
    for (size_t i = 0; i + 1 < BASE_HISTOGRAM_BUCKETS; i++) {
        assert_int_equal(base_histogram_bucket(base_histogram_bucket_end(i) + 1), i + 1);
    }
}

static void percentiles_match_sorted_values_within_the_bucket(void **state)
{
    (void)state;
    struct base_histogram *histogram = histogram_create();
    for (uint64_t i = 1; i <= 10000; i++) {
        base_histogram_record(histogram, i * 100);
    }
    const double shares[] = {0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0};
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        double exact = shares[i] * 1000000 < 100 ? 100 : shares[i] * 1000000;
        double got = (double)base_histogram_percentile(histogram, shares[i]);
        assert_true(got >= exact - 100);
        assert_true(got <= exact * 33 / 32 + 100);
    }
    assert_int_equal(base_histogram_percentile(histogram, 1.0), 1000000);
    assert_int_equal(base_histogram_total(histogram), 10000);
    assert_int_equal(base_histogram_sum(histogram), UINT64_C(5000500000));
    free(histogram);
}

static void empty_histogram_gives_zero(void **state)
{
    (void)state;
    struct base_histogram *histogram = histogram_create();
    assert_int_equal(base_histogram_percentile(histogram, 0.99), 0);
    assert_int_equal(base_histogram_total(histogram), 0);
    free(histogram);
}

static void value_beyond_the_range_is_counted_and_its_maximum_exact(void **state)
{
    (void)state;
    struct base_histogram *histogram = histogram_create();
    base_histogram_record(histogram, UINT64_MAX);
    base_histogram_record(histogram, 0);
    assert_int_equal(base_histogram_total(histogram), 2);
    assert_int_equal(base_histogram_percentile(histogram, 0.5), 0);
    assert_true(base_histogram_percentile(histogram, 1.0) == UINT64_MAX);
    free(histogram);
}

static void merge_adds_counts_sums_and_takes_the_larger_maximum(void **state)
{
    (void)state;
    struct base_histogram *a = histogram_create();
    struct base_histogram *b = histogram_create();
    base_histogram_record(a, 10);
    base_histogram_record(b, 30);
    base_histogram_record(b, 20);
    base_histogram_merge(a, b);
    assert_int_equal(base_histogram_total(a), 3);
    assert_int_equal(base_histogram_sum(a), 60);
    assert_int_equal(base_histogram_max(a), 30);
    base_histogram_reset(a);
    assert_int_equal(base_histogram_total(a) + base_histogram_sum(a) + base_histogram_max(a), 0);
    free(a);
    free(b);
}

static void *record_many(void *context)
{
    for (uint64_t i = 0; i < 200000; i++) {
        base_histogram_record(context, i & 1023);
    }
    return NULL;
}

static void another_thread_may_read_while_one_records(void **state)
{
    (void)state;
    struct base_histogram *histogram = histogram_create();
    pthread_t writer;
    assert_int_equal(pthread_create(&writer, NULL, record_many, histogram), 0);
    uint64_t last = 0;
    while (last < 100000) {
        uint64_t now = base_histogram_total(histogram);
        assert_true(now >= last);
        assert_true(base_histogram_percentile(histogram, 1.0) <= 1023);
        last = now;
    }
    pthread_join(writer, NULL);
    assert_int_equal(base_histogram_total(histogram), 200000);
    free(histogram);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_lies_in_its_bucket_within_one_part_in_32),
        cmocka_unit_test(buckets_follow_each_other_without_a_gap),
        cmocka_unit_test(percentiles_match_sorted_values_within_the_bucket),
        cmocka_unit_test(empty_histogram_gives_zero),
        cmocka_unit_test(value_beyond_the_range_is_counted_and_its_maximum_exact),
        cmocka_unit_test(merge_adds_counts_sums_and_takes_the_larger_maximum),
        cmocka_unit_test(another_thread_may_read_while_one_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
