/* SPDX-License-Identifier: Apache-2.0 */
/* icp-bench compare */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "bench/bench_cli.h"
#include "bench/bench_flags.h"
#include "bench/report/report_compare.h"
#include "bench/report/report_json.h"

#define MISSING "two result files are needed: the old and the new"

struct arguments {
    const char *files[2];
    unsigned count;
};

static bool take(void *into, const char *text, char *why, size_t why_bytes)
{
    struct arguments *arguments = into;
    if (arguments->count == 2) {
        snprintf(why, why_bytes, "%s", MISSING);
        return false;
    }
    arguments->files[arguments->count++] = text;
    return true;
}

static unsigned comparisons_print(const struct report_comparison *all, size_t count)
{
    static const char *const words[] = {"same within noise", "better", "WORSE"};
    unsigned worse = 0;
    printf("%-12s %-10s %-5s %12s %12s %9s\n", "case", "contender", "", "before", "after",
           "change");
    for (size_t i = 0; i < count; i++) {
        const struct report_comparison *one = &all[i];
        printf("%-12s %-10s %-5s %12.4g %12.4g %+8.1f%%   %s%s\n", one->what, one->who, one->metric,
               one->a.median, one->b.median, 100 * (one->b.median / one->a.median - 1),
               words[one->change], one->relative ? " (of the floor)" : "");
        worse += one->change == REPORT_WORSE;
    }
    return worse;
}

static void setups_warn(const json_t *a, const json_t *b)
{
    const json_t *one = json_object_get(a, "setup");
    const json_t *other = json_object_get(b, "setup");
    static const char *const keys[] = {"accounts", "connections", "measure_s"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (!json_equal(json_object_get(one, keys[i]), json_object_get(other, keys[i]))) {
            printf("note: the files differ in %s\n", keys[i]);
        }
    }
    const json_t *machine = json_object_get(json_object_get(a, "machine"), "processor");
    if (!json_equal(machine, json_object_get(json_object_get(b, "machine"), "processor"))) {
        printf("note: the files come from different processors\n");
    }
}

int bench_command_compare(int argc, char **argv)
{
    static const struct bench_flags flags = {
        .what =
            "Ends with 1 if icpd is worse in B than in A beyond noise: medians that differ by 5 % "
            "and intervals that do not meet (with fewer than 4 runs: medians that differ by 25 "
            "%).",
        .arguments = "A.json B.json",
        .on_argument = take,
        .arguments_least = 2,
        .missing = MISSING};
    struct arguments arguments = {0};
    struct proto_fault fault = {0};
    struct report_comparison all[REPORT_COMPARISONS_MAX];
    bench_flags_parse(&flags, argc, argv, &arguments);
    json_t *a = report_json_load(arguments.files[0], &fault);
    json_t *b = a != NULL ? report_json_load(arguments.files[1], &fault) : NULL;
    int code = EX_OK;
    if (b == NULL) {
        code = bench_fail(&fault);
    } else {
        setups_warn(a, b);
        size_t count = report_compare(a, b, all, REPORT_COMPARISONS_MAX);
        unsigned worse = comparisons_print(all, count);
        printf("%zu figures, %u worse beyond noise\n", count, worse);
        code = worse > 0 ? 1 : count == 0 ? EX_DATAERR : EX_OK;
        if (count == 0) {
            fprintf(stderr, "icp-bench: the files have nothing of icpd in common\n");
        }
    }
    json_decref(a);
    json_decref(b);
    return code;
}
