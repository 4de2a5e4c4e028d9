/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report/report_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "bench/load/load_hgrm.h"

#define CURVE_MAX 160

static double us(uint64_t ns)
{
    return (double)ns / 1e3;
}

/* [[percentile, microseconds] …], enough for a curve on log 1 / (1 − p). */
static json_t *curve(const struct base_histogram *histogram)
{
    double shares[CURVE_MAX];
    json_t *list = json_array();
    size_t count = load_hgrm_shares(base_histogram_total(histogram), shares, CURVE_MAX);
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, json_pack("[f, f]", shares[i],
                                              us(base_histogram_percentile(histogram, shares[i]))));
    }
    return list;
}

static json_t *timeline(const struct load_result *result)
{
    json_t *list = json_array();
    for (size_t i = 0; i < result->timeline_count; i++) {
        const struct load_second *second = &result->timeline[i];
        json_array_append_new(list, json_pack("{s:I, s:f, s:f, s:f}", "completed",
                                              (json_int_t)second->completed, "p50_us",
                                              us(second->p50_ns), "p99_us", us(second->p99_ns),
                                              "max_us", us(second->max_ns)));
    }
    return list;
}

static json_t *usage(const struct load_usage *usage, const struct load_result *result)
{
    double each = result->completed > 0 ? (double)result->completed : 1;
    double seconds = result->seconds > 0 ? result->seconds : 1;
    return json_pack("{s:f, s:f, s:f, s:I, s:I}", "cpu_share",
                     (double)usage->cpu_ns / 1e9 / seconds, "waited_share",
                     (double)usage->waited_ns / 1e9 / seconds, "cpu_ns_each",
                     (double)usage->cpu_ns / each, "switches", (json_int_t)usage->switches,
                     "preemptions", (json_int_t)usage->preemptions);
}

/* ns a request by stage, and of each commit in µs where there were any. */
static json_t *stages(const struct load_stages *stages)
{
    json_t *json = json_pack("{s:f}", "sampled", stages->frames);
    for (unsigned i = 0; i < LOAD_STAGES; i++) {
        json_object_set_new(json, load_stage_info((enum load_stage)i)->name,
                            json_real(stages->ns[i]));
    }
    if (stages->commits > 0) {
        json_object_set_new(json, "commit_us", json_real(stages->commit_ns / 1e3));
    }
    return json;
}

json_t *report_json_result(const struct load_result *result)
{
    char remark[512];
    const struct base_histogram *latency = &result->latency;
    load_result_remark(result, remark, sizeof remark);
    json_t *json =
        json_pack("{s:f, s:f, s:f, s:I, s:I, s:I, s:I, s:s}", "seconds", result->seconds, "rate",
                  result->rate, "offered", result->offered, "completed",
                  (json_int_t)result->completed, "errors", (json_int_t)load_result_errors(result),
                  "misplaced", (json_int_t)result->misplaced, "unanswered",
                  (json_int_t)result->unanswered, "remark", remark);
    json_t *times = json_pack("{s:f, s:f, s:f, s:f, s:f, s:o}", "p50",
                              us(base_histogram_percentile(latency, 0.5)), "p90",
                              us(base_histogram_percentile(latency, 0.9)), "p99",
                              us(base_histogram_percentile(latency, 0.99)), "p999",
                              us(base_histogram_percentile(latency, 0.999)), "max",
                              us(base_histogram_max(latency)), "curve", curve(latency));
    json_object_set_new(json, "latency_us", times);
    json_object_set_new(json, "generator_late_p99_us",
                        json_real(us(base_histogram_percentile(&result->late, 0.99))));
    if (result->server.known) {
        json_object_set_new(json, "server", usage(&result->server, result));
    }
    if (result->stages.known) {
        json_object_set_new(json, "stages_ns", stages(&result->stages));
    }
    if (!isnan(load_result_busy(result))) {
        json_object_set_new(json, "busy", json_real(load_result_busy(result)));
    }
    json_object_set_new(json, "generator", usage(&result->self, result));
    json_object_set_new(json, "timeline", timeline(result));
    return json;
}

/* The text after "name :" in a file of such lines; empty if it is not there. */
static void line_find(const char *path, const char *name, char *text, size_t text_bytes)
{
    char line[512];
    FILE *file = fopen(path, "re");
    text[0] = '\0';
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char *colon = strchr(line, ':');
        if (strncmp(line, name, strlen(name)) != 0 || colon == NULL) {
            continue;
        }
        colon += 1 + strspn(colon + 1, " \t");
        colon[strcspn(colon, "\n")] = '\0';
        snprintf(text, text_bytes, "%s", colon);
        break;
    }
    if (file != NULL) {
        fclose(file);
    }
}

json_t *report_json_machine(void)
{
    struct utsname system;
    char processor[128];
    char memory[64];
    char when[64] = "";
    double load[3] = {0};
    time_t now = time(NULL);
    struct tm utc;
    line_find("/proc/cpuinfo", "model name", processor, sizeof processor);
    line_find("/proc/meminfo", "MemTotal", memory, sizeof memory);
    uname(&system);
    (void)getloadavg(load, 3);
    if (gmtime_r(&now, &utc) != NULL) {
        strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
    }
    return json_pack("{s:s, s:i, s:s, s:s, s:s, s:f, s:s}", "processor", processor, "cores",
                     (int)sysconf(_SC_NPROCESSORS_ONLN), "memory", memory, "kernel", system.release,
                     "time", when, "load_average_at_start", load[0], "compiler", __VERSION__);
}

bool report_json_save(const json_t *json, const char *path, struct proto_fault *fault)
{
    return (json != NULL &&
            json_dump_file(json, path, JSON_INDENT(1) | JSON_REAL_PRECISION(7)) == 0) ||
           proto_fault_set(fault, PROTO_IO, "", "%s cannot be written", path);
}

json_t *report_json_load(const char *path, struct proto_fault *fault)
{
    json_error_t error;
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (json == NULL) {
        proto_fault_set(fault, PROTO_BAD_CONFIG, "", "%s:%d: %s", path, error.line, error.text);
        return NULL;
    }
    if (json_integer_value(json_object_get(json, "format")) != REPORT_JSON_FORMAT) {
        proto_fault_set(fault, PROTO_BAD_CONFIG, "", "%s is not of format %d", path,
                        REPORT_JSON_FORMAT);
        json_decref(json);
        return NULL;
    }
    return json;
}

bool report_json_write_run(const char *const *names, const struct load_result *results,
                           unsigned count, const char *path, struct proto_fault *fault)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < count; i++) {
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:o}", "case", names[i], "contender", "server",
                                        "runs", json_pack("[o]", report_json_result(&results[i]))));
    }
    json_t *json = json_pack("{s:i, s:s, s:o, s:o}", "format", REPORT_JSON_FORMAT, "kind", "run",
                             "machine", report_json_machine(), "series", list);
    bool ok = report_json_save(json, path, fault);
    json_decref(json);
    return ok;
}
