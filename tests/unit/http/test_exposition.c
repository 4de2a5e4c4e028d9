/* SPDX-License-Identifier: Apache-2.0 */
/* Figures as Prometheus reads them, to the letter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/http/exposition.h"

struct page {
    char *text;
    size_t bytes;
    FILE *out;
};

static void page_begin(struct page *page)
{
    page->out = open_memstream(&page->text, &page->bytes);
    assert_non_null(page->out);
}

static const char *page_end(struct page *page)
{
    assert_int_equal(fclose(page->out), 0);
    return page->text;
}

static void names_get_seconds_and_total(void **state)
{
    char name[HTTP_NAME_BYTES];
    (void)state;
    assert_true(http_name(name, "store", "commit_ns_sum", HTTP_COUNTER));
    assert_string_equal(name, "icpd_store_commit_sum_seconds_total");
    assert_true(http_name(name, NULL, "stage_read_ns", HTTP_GAUGE));
    assert_string_equal(name, "icpd_stage_read_seconds");
    assert_false(http_name(name, "net", "bytes_in", HTTP_COUNTER));
    assert_string_equal(name, "icpd_net_bytes_in_total");
    assert_false(http_name(name, "store", "rows_total", HTTP_GAUGE));
    assert_string_equal(name, "icpd_store_rows");
    assert_false(http_name(name, NULL, "x_nsfoo", HTTP_GAUGE));
    assert_string_equal(name, "icpd_x_nsfoo");
}

static void a_sample_is_a_line_and_labels_are_escaped(void **state)
{
    struct page page;
    (void)state;
    page_begin(&page);
    http_family(page.out, "a_total", HTTP_COUNTER, "one\nline \\ of \"help\"");
    http_sample(page.out, "a_total", NULL, NULL, 12);
    http_sample(page.out, "a_total", "who", "a\"b\\c\nd", 0.5);
    assert_string_equal(page_end(&page), "# HELP a_total one\\nline \\\\ of \"help\"\n"
                                         "# TYPE a_total counter\n"
                                         "a_total 12\n"
                                         "a_total{who=\"a\\\"b\\\\c\\nd\"} 0.5\n");
    free(page.text);
}

/* The value behind a line that begins so. */
static double value_of(const char *text, const char *line)
{
    const char *at = strstr(text, line);
    assert_non_null(at);
    return strtod(at + strlen(line), NULL);
}

static void a_histogram_counts_what_lies_below_each_bound(void **state)
{
    static struct base_histogram histogram;
    struct page page;
    (void)state;
    base_histogram_record(&histogram, 500);
    base_histogram_record(&histogram, 1023);
    base_histogram_record(&histogram, 1500);
    base_histogram_record(&histogram, UINT64_C(60000000000));
    page_begin(&page);
    http_histogram(page.out, "t", "op", "score", &histogram);
    const char *text = page_end(&page);
    assert_true(value_of(text, "t_bucket{op=\"score\",le=\"1.024e-06\"}") == 2);
    assert_true(value_of(text, "t_bucket{op=\"score\",le=\"2.048e-06\"}") == 3);
    assert_true(value_of(text, "t_bucket{op=\"score\",le=\"17.179869184\"}") == 3);
    assert_true(value_of(text, "t_bucket{op=\"score\",le=\"+Inf\"}") == 4);
    assert_true(value_of(text, "t_count{op=\"score\"}") == 4);
    assert_true(value_of(text, "t_sum{op=\"score\"}") == 60.000003023);
    free(page.text);
}

static void an_empty_histogram_has_all_its_lines(void **state)
{
    static struct base_histogram histogram;
    struct page page;
    (void)state;
    page_begin(&page);
    http_histogram(page.out, "t", NULL, NULL, &histogram);
    const char *text = page_end(&page);
    assert_true(value_of(text, "t_bucket{le=\"+Inf\"}") == 0);
    assert_true(value_of(text, "t_count") == 0);
    free(page.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_get_seconds_and_total),
        cmocka_unit_test(a_sample_is_a_line_and_labels_are_escaped),
        cmocka_unit_test(a_histogram_counts_what_lies_below_each_bound),
        cmocka_unit_test(an_empty_histogram_has_all_its_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
