/* SPDX-License-Identifier: Apache-2.0 */
/* Lines are joined or left out until few enough remain to be read, then drawn. */
#include "tools/cli/show_bins.h"

#include <inttypes.h>
#include <stdlib.h>

#include "server/feature/span_text.h"
#include "server/math/accuracy.h"
#include "tools/cli/out/out_number.h"
#include "tools/cli/out/out_text.h"

#define BAR_MOST 20 /* characters; one for 10 points */
#define NAME_WIDTH 36
/* Columns beside name and bar: the indent, the points, gaps. */
#define BESIDE 12
/* Columns of what stands behind a line. */
#define BEHIND 34

/* Codes first … last of a column share one line. */
struct line {
    unsigned first;
    unsigned last;
    double points;
    struct show_support support;
};

/* "  1234    567  46.0  43-49"; nothing where nothing is known. */
static void support_text(const struct show_support *support, char *text, size_t bytes)
{
    double low;
    double high;
    text[0] = '\0';
    if (support->accounts < 0) {
        return;
    }
    if (support->accounts == 0) {
        (void)snprintf(text, bytes, " %9d %8d", 0, 0);
        return;
    }
    math_wilson((size_t)support->outcomes, (size_t)support->accounts, &low, &high);
    (void)snprintf(text, bytes, " %9" PRId64 " %8" PRId64 " %5.1f %3.0f-%-3.0f", support->accounts,
                   support->outcomes, 100 * (double)support->outcomes / (double)support->accounts,
                   100 * low, 100 * high);
}

/* How much of the line a name may take; without room for what stands behind it, *behind is none:
 * names that can be read come first. */
static size_t names_fit(size_t room, bool *behind)
{
    *behind = *behind && room >= 20 + BESIDE + BEHIND;
    size_t beside = BESIDE + (*behind ? BEHIND : 0);
    return room < NAME_WIDTH + beside ? room - beside : NAME_WIDTH;
}

static size_t room_of(const struct out_sink *sink)
{
    return sink->columns == 0 ? SIZE_MAX / 2 : sink->columns;
}

void bins_head_print(const struct out_sink *sink)
{
    bool behind = true;
    size_t names = names_fit(room_of(sink), &behind);
    fprintf(sink->file, "  %-*s %6s", (int)names, "", "points");
    if (behind) {
        fprintf(sink->file, " %9s %8s %5s %7s", "accounts", "outcomes", "%", "95 %");
    }
    fputc('\n', sink->file);
}

/* A narrow screen has no bar, then shorter names, which go on in the next line. */
static void line_print(const struct out_sink *sink, const char *name, double points,
                       const struct show_support *support)
{
    char behind[BEHIND + 32];
    char bar[BAR_MOST + 2];
    points = points > -0.5 && points < 0.5 ? 0 : points; /* no "-0" */
    double length = points < 0 ? -points / 10 : points / 10;
    size_t characters = length >= BAR_MOST ? BAR_MOST : (size_t)(length + 0.5);
    memset(bar, points < 0 ? '-' : '+', characters);
    if (length > BAR_MOST) {
        bar[characters++] = '>';
    }
    bar[characters] = '\0';
    size_t room = room_of(sink);
    support_text(support, behind, sizeof behind);
    bool has_behind = behind[0] != '\0';
    size_t beside = BESIDE + (has_behind ? BEHIND : 0);
    bool narrow = room < NAME_WIDTH + beside + BAR_MOST + 1;
    size_t names = names_fit(room, &has_behind);
    if (!has_behind) {
        behind[0] = '\0';
    }
    char *clean = out_clean(name);
    const char *rest = clean != NULL ? clean : "";
    size_t skip = 0;
    size_t bytes = sink->columns == 0 ? strlen(rest) : out_line(rest, names, true, &skip);
    size_t width = out_width_n(rest, bytes);
    fprintf(sink->file, "  %.*s%*s %+6.0f%s%s%s\n", (int)bytes, rest,
            width < names ? (int)(names - width) : 0, "", out_signed(points, 0), behind,
            narrow || bar[0] == '\0' ? "" : "  ", narrow ? "" : bar);
    for (rest += bytes + skip; *rest != '\0' && sink->columns > 0; rest += bytes + skip) {
        bytes = out_line(rest, names - 2, true, &skip);
        fprintf(sink->file, "    %.*s\n", (int)bytes, rest);
    }
    free(clean);
}

static double tag_strength(const struct show_tag *tag)
{
    double strength = tag->has - tag->lacks;
    return strength < 0 ? -strength : strength;
}

static int by_strength(const void *a, const void *b)
{
    double x = tag_strength(a);
    double y = tag_strength(b);
    if (x != y) {
        return x < y ? 1 : -1;
    }
    return strcmp(((const struct show_tag *)a)->tag, ((const struct show_tag *)b)->tag);
}

void tags_print(const struct out_sink *sink, struct show_tag *tags, size_t count, size_t most)
{
    char name[96];
    double missing = 0;
    struct show_support unknown = SHOW_SUPPORT_NONE;
    if (count == 0) {
        return;
    }
    qsort(tags, count, sizeof *tags, by_strength);
    for (size_t i = 0; i < count; i++) {
        missing += tags[i].missing;
        unknown = tags[i].unknown; /* of each tag the same accounts */
        if (i >= most) {
            continue;
        }
        snprintf(name, sizeof name, "has %.80s", tags[i].tag);
        line_print(sink, name, tags[i].has, &tags[i].with);
        line_print(sink, "  lacks it", tags[i].lacks, &tags[i].without);
    }
    if (count > most) {
        out_print(sink, "  … %zu weaker tags\n", count - most);
    }
    line_print(sink, "missing", missing, &unknown);
}

/* "100 < x ≤ 250" for a run of codes; edge e divides codes e+1 and e+2. */
static void range_name(const struct feature_column *column, const struct line *line, char *name,
                       size_t bytes)
{
    size_t edges = column->bin_count - 2;
    char low[FEATURE_NUMBER_TEXT_BYTES] = "";
    char high[FEATURE_NUMBER_TEXT_BYTES] = "";
    if (line->first >= 2) {
        feature_number_print(column->edges[line->first - 2], low);
    }
    if (line->last - 1 < edges) {
        feature_number_print(column->edges[line->last - 1], high);
    }
    if (low[0] != '\0' && high[0] != '\0') {
        snprintf(name, bytes, "%s < x ≤ %s", low, high);
    } else if (low[0] != '\0') {
        snprintf(name, bytes, "x > %s", low);
    } else if (high[0] != '\0') {
        snprintf(name, bytes, "x ≤ %s", high);
    } else {
        snprintf(name, bytes, "any number");
    }
}

static double distance(const struct line *a, const struct line *b)
{
    double difference = a->points - b->points;
    return difference < 0 ? -difference : difference;
}

/* Joins the two neighbours that differ least. Points of a joined line are the mean over its
 * accounts, or, where they are not known, over its bins, which hold about as many each. */
static size_t lines_join(struct line *lines, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i + 1 < count; i++) {
        if (distance(&lines[i], &lines[i + 1]) < distance(&lines[best], &lines[best + 1])) {
            best = i;
        }
    }
    struct line *line = &lines[best];
    const struct line *next = &lines[best + 1];
    double own = line->last - line->first + 1;
    double other = next->last - next->first + 1;
    if (line->support.accounts >= 0 && line->support.accounts + next->support.accounts > 0) {
        own = (double)line->support.accounts;
        other = (double)next->support.accounts;
    }
    line->points = (line->points * own + next->points * other) / (own + other);
    line->support.accounts += line->support.accounts >= 0 ? next->support.accounts : 0;
    line->support.outcomes += next->support.outcomes;
    line->last = next->last;
    for (size_t i = best + 1; i + 1 < count; i++) {
        lines[i] = lines[i + 1];
    }
    return count - 1;
}

static void number_print(const struct out_sink *sink, const struct feature_column *column,
                         struct line *lines, size_t count, size_t most)
{
    char name[96];
    while (count > 1 && (count > most || distance(&lines[0], &lines[1]) < 0.5)) {
        size_t before = count;
        count = lines_join(lines, count);
        if (count == before) {
            break;
        }
    }
    for (size_t i = 0; i < count; i++) {
        range_name(column, &lines[i], name, sizeof name);
        line_print(sink, name, lines[i].points, &lines[i].support);
    }
}

static int by_points(const void *a, const void *b)
{
    const struct line *x = a;
    const struct line *y = b;
    if (x->points != y->points) {
        return x->points < y->points ? 1 : -1;
    }
    return (x->first > y->first) - (x->first < y->first);
}

static void others_print(const struct out_sink *sink, const struct feature_column *column,
                         struct line *lines, size_t count, size_t most)
{
    char name[96];
    qsort(lines, count, sizeof *lines, by_points);
    size_t head = count <= most ? count : (most + 1) / 2;
    size_t tail = count <= most ? 0 : most / 2;
    for (size_t i = 0; i < count; i++) {
        if (i == head && tail > 0) {
            out_print(sink, "  … %zu between\n", count - head - tail);
        }
        if (i >= head && i < count - tail) {
            continue;
        }
        feature_bin_text(column, (uint8_t)lines[i].first, name, sizeof name);
        line_print(sink, name, lines[i].points, &lines[i].support);
    }
}

static struct show_support support_of(const uint32_t *accounts, const uint32_t *outcomes,
                                      unsigned code)
{
    return accounts == NULL ? SHOW_SUPPORT_NONE
                            : (struct show_support){accounts[code], outcomes[code]};
}

void bins_print(const struct out_sink *sink, const struct feature_column *column,
                const int32_t *table, const uint32_t *accounts, const uint32_t *outcomes,
                size_t most)
{
    struct line lines[256];
    char name[96];
    size_t count = 0;
    for (unsigned code = 1; code < column->bin_count && code < 256; code++) {
        lines[count++] = (struct line){code, code, (double)table[code] / 1e4,
                                       support_of(accounts, outcomes, code)};
    }
    if (column->type == FEATURE_NUMBER) {
        number_print(sink, column, lines, count, most);
    } else {
        others_print(sink, column, lines, count, most);
    }
    /* The bin of missing values stands apart: it is no place on the scale. */
    feature_bin_text(column, 0, name, sizeof name);
    struct show_support missing = support_of(accounts, outcomes, 0);
    line_print(sink, name, (double)table[0] / 1e4, &missing);
}
