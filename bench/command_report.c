/* SPDX-License-Identifier: Apache-2.0 */
/* icp-bench report */
#include <argp.h>
#include <sysexits.h>

#include "bench/bench_cli.h"
#include "bench/bench_html.h"
#include "bench/bench_json.h"

enum { KEY_HTML = 256, KEY_BASELINE };

struct arguments {
    const char *in, *html, *baseline;
};

static const struct argp_option options[] = {
    {"html", KEY_HTML, "FILE", 0, "where the page goes (report.html)", 0},
    {"baseline", KEY_BASELINE, "FILE", 0, "an older result to compare with", 0},
    {0},
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case KEY_HTML:
        arguments->html = text;
        return 0;
    case KEY_BASELINE:
        arguments->baseline = text;
        return 0;
    case ARGP_KEY_ARG:
        arguments->in = text;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which result? (a JSON file)");
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int bench_command_report(int argc, char **argv)
{
    static const struct argp parser = {
        options, parse, "IN.json", "Writes a result as one HTML page without scripts.",
        NULL,    NULL,  NULL};
    struct arguments arguments = {.html = "report.html"};
    struct proto_fault fault = {0};
    json_t *baseline = NULL;
    argp_parse(&parser, argc, argv, 0, NULL, &arguments);
    json_t *result = bench_json_load(arguments.in, &fault);
    bool ok = result != NULL;
    if (ok && arguments.baseline != NULL) {
        baseline = bench_json_load(arguments.baseline, &fault);
        ok = baseline != NULL;
    }
    ok = ok && bench_html_write(result, baseline, arguments.html, &fault);
    json_decref(result);
    json_decref(baseline);
    return ok ? EX_OK : bench_fail(&fault);
}
