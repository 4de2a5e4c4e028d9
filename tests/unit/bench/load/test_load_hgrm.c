/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench/load/load_hgrm.h"

static void percentiles_rise_to_one(void **state)
{
    (void)state;
    double shares[512];
    size_t count = load_hgrm_shares(1000000, shares, 512);
    assert_true(count > 50 && shares[0] == 0 && shares[count - 1] == 1);
    for (size_t i = 1; i < count; i++) {
        assert_true(shares[i] > shares[i - 1]);
    }
    assert_int_equal(load_hgrm_shares(0, shares, 512), 1);
    assert_int_equal(load_hgrm_shares(UINT64_MAX, shares, 8), 8); /* never beyond the room */
}

static void a_file_has_the_lines_that_plotters_read(void **state)
{
    (void)state;
    char path[] = "/tmp/icpd-hgrm-XXXXXX";
    char text[8192] = "";
    struct base_histogram *histogram = calloc(1, sizeof *histogram);
    struct proto_fault fault = {0};
    int fd = mkstemp(path);
    assert_true(fd >= 0 && histogram != NULL);
    for (uint64_t i = 1; i <= 1000; i++) {
        base_histogram_record(histogram, i * 1000);
    }
    assert_true(load_hgrm_write(histogram, path, &fault));
    assert_true(read(fd, text, sizeof text - 1) > 0);
    assert_non_null(strstr(text, "Value     Percentile TotalCount 1/(1-Percentile)"));
    assert_non_null(strstr(text, "    1000.000 1.000000000000       1000\n"));
    assert_non_null(strstr(text, "#[Mean    =      500.500"));
    assert_false(load_hgrm_write(histogram, "/nowhere/x.hgrm", &fault));
    close(fd);
    unlink(path);
    free(histogram);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles_rise_to_one),
        cmocka_unit_test(a_file_has_the_lines_that_plotters_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
