/* SPDX-License-Identifier: Apache-2.0 */
/* Writes figures line by line. The tables name their figures for people (`commit_ns_sum`); here
 * they get the names and the units that Prometheus expects. */
#include "server/http/exposition.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum {
    BOUND_BITS_FIRST = 10, /* 1.024 us: no operation is faster with its system calls */
    BOUND_BITS_LAST = 34,  /* 17.2 s */
};

static const char *const kind_names[] = {
    [HTTP_COUNTER] = "counter", [HTTP_GAUGE] = "gauge", [HTTP_HISTOGRAM] = "histogram"};

/* Where the part "_ns" of a name begins: at its end or before another part; NULL: nowhere. */
static const char *find_ns(const char *name)
{
    for (const char *at = strstr(name, "_ns"); at != NULL; at = strstr(at + 1, "_ns")) {
        if (at[3] == '\0' || at[3] == '_') {
            return at;
        }
    }
    return NULL;
}

bool http_name(char out[HTTP_NAME_BYTES], const char *part, const char *name, enum http_kind kind)
{
    const char *ns = find_ns(name);
    size_t before = ns != NULL ? (size_t)(ns - name) : strlen(name);
    /* Only counters may end so: the gauge `rows_total`, how many there are in all, is `rows`. */
    static const char total[] = "_total";
    if (kind != HTTP_COUNTER && ns == NULL && before >= sizeof total &&
        strcmp(name + before - (sizeof total - 1), total) == 0) {
        before -= sizeof total - 1;
    }
    snprintf(out, HTTP_NAME_BYTES, "icpd_%s%s%.*s%s%s%s", part != NULL ? part : "",
             part != NULL ? "_" : "", (int)before, name, ns != NULL ? ns + 3 : "",
             ns != NULL ? "_seconds" : "", kind == HTTP_COUNTER ? "_total" : "");
    return ns != NULL;
}

/* Help and label values are free text: what would end them early is escaped. */
static void put_escaped(FILE *out, const char *text, bool quoted)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            (void)fputs("\\n", out);
        } else {
            if (*text == '\\' || (quoted && *text == '"')) {
                (void)fputc('\\', out);
            }
            (void)fputc(*text, out);
        }
    }
}

void http_family(FILE *out, const char *name, enum http_kind kind, const char *help)
{
    (void)fprintf(out, "# HELP %s ", name);
    put_escaped(out, help, false);
    (void)fprintf(out, "\n# TYPE %s %s\n", name, kind_names[kind]);
}

static void put_name(FILE *out, const char *name, const char *suffix, const char *label,
                     const char *label_value, const char *bound)
{
    (void)fprintf(out, "%s%s", name, suffix);
    if (label == NULL && bound == NULL) {
        return;
    }
    (void)fputc('{', out);
    if (label != NULL) {
        (void)fprintf(out, "%s=\"", label);
        put_escaped(out, label_value, true);
        (void)fprintf(out, "\"%s", bound != NULL ? "," : "");
    }
    if (bound != NULL) {
        (void)fprintf(out, "le=\"%s\"", bound);
    }
    (void)fputc('}', out);
}

void http_sample(FILE *out, const char *name, const char *label, const char *label_value,
                 double value)
{
    put_name(out, name, "", label, label_value, NULL);
    (void)fprintf(out, " %.17g\n", value);
}

void http_histogram(FILE *out, const char *name, const char *label, const char *label_value,
                    const struct base_histogram *histogram)
{
    uint64_t below = 0;
    size_t bucket = 0;
    for (unsigned bits = BOUND_BITS_FIRST; bits <= BOUND_BITS_LAST; bits++) {
        /* Buckets end just below powers of two, so this cut is exact but for a value of exactly
         * the bound. */
        uint64_t bound = UINT64_C(1) << bits;
        char text[32];
        while (bucket < BASE_HISTOGRAM_BUCKETS && base_histogram_bucket_end(bucket) < bound) {
            below += atomic_load_explicit(&histogram->buckets[bucket++], memory_order_relaxed);
        }
        snprintf(text, sizeof text, "%.12g", (double)bound / 1e9);
        put_name(out, name, "_bucket", label, label_value, text);
        (void)fprintf(out, " %" PRIu64 "\n", below);
    }
    uint64_t total = base_histogram_total(histogram);
    put_name(out, name, "_bucket", label, label_value, "+Inf");
    (void)fprintf(out, " %" PRIu64 "\n", total);
    put_name(out, name, "_sum", label, label_value, NULL);
    (void)fprintf(out, " %.17g\n", (double)base_histogram_sum(histogram) / 1e9);
    put_name(out, name, "_count", label, label_value, NULL);
    (void)fprintf(out, " %" PRIu64 "\n", total);
}
