/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

#include "bench/load/load.h"
#include "proto/table.h"

/* Below this share of the offered rate the schedule was not met. */
#define REACHED 0.98
/* Above this share of a processor the generator may have been the limit. */
#define SATURATED 0.97

void load_result_fini(struct load_result *result)
{
    free(result->timeline);
    result->timeline = NULL;
    result->timeline_count = 0;
}

uint64_t load_result_errors(const struct load_result *result)
{
    uint64_t errors = 0;
    for (unsigned i = 1; i < 256; i++) {
        errors += result->status[i];
    }
    return errors;
}

const char *load_result_error(const struct load_result *result)
{
    unsigned most = 0;
    for (unsigned i = 1; i < 256; i++) {
        if (result->status[i] > (most == 0 ? 0 : result->status[most])) {
            most = i;
        }
    }
    const struct proto_error_info *info = proto_error_find(most);
    return most == 0 ? "none" : info == NULL ? "unknown" : info->name;
}

static size_t say(char *text, size_t text_bytes, size_t used, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static size_t say(char *text, size_t text_bytes, size_t used, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int bytes = vsnprintf(text + used, text_bytes - used, format, args);
    va_end(args);
    return bytes < 0 || (size_t)bytes >= text_bytes - used ? text_bytes - 1 : used + (size_t)bytes;
}

void load_result_remark(const struct load_result *result, char *text, size_t text_bytes)
{
    size_t used = 0;
    text[0] = '\0';
    if (result->offered > 0 && result->rate < result->offered * REACHED) {
        used = say(text, text_bytes, used,
                   "the offered rate was NOT reached: %.0f/s offered, %.0f/s answered; ",
                   result->offered, result->rate);
    }
    if (result->unanswered > 0) {
        used = say(text, text_bytes, used, "%llu requests were never answered; ",
                   (unsigned long long)result->unanswered);
    }
    if (load_result_errors(result) > 0) {
        used = say(text, text_bytes, used, "%llu replies were errors (most: %s); ",
                   (unsigned long long)load_result_errors(result), load_result_error(result));
    }
    if (result->misplaced > 0) {
        used = say(text, text_bytes, used, "%llu replies had ids that were not asked for; ",
                   (unsigned long long)result->misplaced);
    }
    double self = (double)result->self.cpu_ns / 1e9 / (result->seconds > 0 ? result->seconds : 1);
    double server =
        (double)result->server.cpu_ns / 1e9 / (result->seconds > 0 ? result->seconds : 1);
    if (result->offered <= 0 && self > SATURATED && server < SATURATED && result->server.known) {
        used = say(text, text_bytes, used,
                   "the generator was the limit (%.0f %% of its processor, the server %.0f %%); ",
                   100 * self, 100 * server);
    }
    if (used >= 2) {
        text[used - 2] = '\0';
    }
}

double load_result_busy(const struct load_result *result)
{
    uint64_t lost_ns = result->server.waited_ns + result->self.waited_ns + result->stolen_ns;
    if (!result->self.known && !result->server.known) {
        return (double)NAN;
    }
    return result->seconds > 0 ? (double)lost_ns / 1e9 / result->seconds : 0;
}
