/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench/report/report_html.h"
#include "bench/report/report_json.h"

static char *page(const json_t *result, const json_t *baseline)
{
    char path[] = "/tmp/icpd-html-XXXXXX";
    struct proto_fault fault = {0};
    int fd = mkstemp(path);
    char *text = calloc(1, 1 << 20);
    assert_true(fd >= 0 && text != NULL);
    assert_true(report_html_write(result, baseline, path, &fault));
    assert_true(read(fd, text, (1 << 20) - 1) > 0);
    close(fd);
    unlink(path);
    return text;
}

static json_t *series(const char *what, const char *who, unsigned count)
{
    json_t *runs = json_array();
    for (unsigned i = 0; i < count; i++) {
        struct load_result *result = calloc(1, sizeof *result);
        assert_non_null(result);
        result->seconds = 1;
        result->rate = 1000 + i;
        result->offered = 900 + 100 * i;
        result->completed = 1000;
        result->server = (struct load_usage){.known = true, .cpu_ns = 900000};
        result->stages = (struct load_stages){.known = true, .ns = {100, 20, 300, 200}};
        for (unsigned n = 1; n <= 1000; n++) {
            base_histogram_record(&result->latency, n * 1000);
        }
        json_array_append_new(runs, report_json_result(result));
        free(result);
    }
    return json_pack("{s:s, s:s, s:o}", "case", what, "contender", who, "runs", runs);
}

static json_t *whole(void)
{
    return json_pack("{s:i, s:o, s:{s:i}, s:[{s:s, s:s, s:s, s:b}], s:[o,o,o,o,o,o], s:[{s:s, "
                     "s:{s:f, s:f, s:f}, "
                     "s:s, s:f, s:s}, {s:s, s:n, s:s, s:f, s:s}]}",
                     "format", REPORT_JSON_FORMAT, "machine", report_json_machine(), "setup",
                     "accounts", 10, "contenders", "name", "redis-get", "does",
                     "GET <of> a \"value\"", "configuration", "&", "measured", 0, "series",
                     series("id-64", "icp", 7), series("id-64", "echo", 7),
                     series("open", "icp", 7), series("open", "echo", 7), series("sweep", "icp", 5),
                     series("sweep", "echo", 5), "rows", "text", "a row that holds", "measured",
                     "median", 2.0, "low", 1.5, "high", 2.5, "limit", "least", "target", 1.0,
                     "verdict", "holds", "text", "a row without a measure", "measured", "limit",
                     "most", "target", 3.0, "verdict", "not measured");
}

static void a_report_has_rows_and_pictures_and_no_script(void **state)
{
    (void)state;
    json_t *result = whole();
    char *text = page(result, result);
    assert_non_null(strstr(text, "✓ holds"));
    assert_non_null(strstr(text, "✗ not measured"));
    assert_non_null(strstr(text, "<svg"));
    assert_non_null(strstr(text, "99.9 %"));
    assert_non_null(strstr(text, "the knee"));
    assert_non_null(strstr(text, "serve: decode"));
    assert_non_null(strstr(text, "<title>280 ns")); /* what the stages leave of 900 */
    assert_non_null(strstr(text, "same within noise"));
    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, ">nan"));
    assert_null(strstr(text, " nan"));
    assert_null(strstr(text, ">inf"));
    assert_null(strstr(text, " inf"));
    free(text);
    json_decref(result);
}

static void texts_are_escaped(void **state)
{
    (void)state;
    json_t *result = whole();
    char *text = page(result, NULL);
    assert_non_null(strstr(text, "GET &lt;of&gt; a &quot;value&quot;"));
    assert_null(strstr(text, "<of>"));
    free(text);
    json_decref(result);
}

static void a_file_with_nothing_in_it_makes_a_page(void **state)
{
    (void)state;
    json_t *result = json_pack("{s:i}", "format", REPORT_JSON_FORMAT);
    char *text = page(result, NULL);
    assert_non_null(strstr(text, "</html>"));
    free(text);
    json_decref(result);
}

static void another_format_and_broken_files_are_refused(void **state)
{
    (void)state;
    char path[] = "/tmp/icpd-json-XXXXXX";
    struct proto_fault fault = {0};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "{\"format\": 99}", 14), 14);
    assert_null(report_json_load(path, &fault));
    assert_non_null(strstr(fault.message, "format"));
    assert_null(report_json_load("/nowhere.json", &fault));
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_has_rows_and_pictures_and_no_script),
        cmocka_unit_test(texts_are_escaped),
        cmocka_unit_test(a_file_with_nothing_in_it_makes_a_page),
        cmocka_unit_test(another_format_and_broken_files_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
