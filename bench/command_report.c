/* SPDX-License-Identifier: Apache-2.0 */
/* icp-bench report */
#include <stdio.h>
#include <sysexits.h>

#include "bench/bench_cli.h"
#include "bench/bench_flags.h"
#include "bench/report/report_html.h"
#include "bench/report/report_json.h"

struct arguments {
    const char *in, *html, *baseline;
};

static const struct bench_flag options[] = {
    {"html", "FILE", BENCH_FLAG_TEXT, offsetof(struct arguments, html), 0, 0,
     "where the page goes (report.html)"},
    {"baseline", "FILE", BENCH_FLAG_TEXT, offsetof(struct arguments, baseline), 0, 0,
     "an older result to compare with"},
};

static bool take(void *into, const char *text, char *why, size_t why_bytes)
{
    struct arguments *arguments = into;
    if (arguments->in != NULL) {
        snprintf(why, why_bytes, "one result at a time; --baseline names another");
        return false;
    }
    arguments->in = text;
    return true;
}

int bench_command_report(int argc, char **argv)
{
    static const struct bench_flags flags = {
        .what = "Writes a result as one HTML page without scripts.",
        .arguments = "IN.json",
        .flags = options,
        .count = sizeof options / sizeof *options,
        .on_argument = take,
        .arguments_least = 1,
        .missing = "which result? (a JSON file)"};
    struct arguments arguments = {.html = "report.html"};
    struct proto_fault fault = {0};
    json_t *baseline = NULL;
    bench_flags_parse(&flags, argc, argv, &arguments);
    json_t *result = report_json_load(arguments.in, &fault);
    bool ok = result != NULL;
    if (ok && arguments.baseline != NULL) {
        baseline = report_json_load(arguments.baseline, &fault);
        ok = baseline != NULL;
    }
    ok = ok && report_html_write(result, baseline, arguments.html, &fault);
    json_decref(result);
    json_decref(baseline);
    return ok ? EX_OK : bench_fail(&fault);
}
