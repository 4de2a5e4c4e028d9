/* SPDX-License-Identifier: Apache-2.0 */
/* A cell is reduced to its digits and the signs between them, and those are looked at. */
#include "tools/cli/csv/csv_form.h"

#include <ctype.h>

#include "server/feature/span_text.h"

#define CORE_BYTES_MAX 64

/* A number's part of a cell: from the first digit to the last, and the same without blanks and
 * apostrophes, which divide thousands in every country. */
struct core {
    struct proto_span raw;
    uint8_t plain[CORE_BYTES_MAX];
    size_t bytes;
};

/* Three digits, and then no fourth. */
static bool group_follows(struct proto_span raw, size_t at)
{
    size_t digits = 0;
    while (at + digits < raw.bytes && isdigit(raw.data[at + digits])) {
        digits++;
    }
    return digits == 3;
}

/* False if anything stands between the digits that no number has, or there is no digit. */
static bool core_of(struct proto_span cell, struct core *core)
{
    size_t from = 0;
    size_t to = cell.bytes;
    while (from < cell.bytes && !isdigit(cell.data[from])) {
        from++;
    }
    while (to > from && !isdigit(cell.data[to - 1])) {
        to--;
    }
    struct proto_span raw = {cell.data + from, to - from};
    core->raw = raw;
    core->bytes = 0;
    if (raw.bytes == 0 || raw.bytes > CORE_BYTES_MAX || from > 8 || cell.bytes - to > 8) {
        return false;
    }
    size_t run = 0; /* digits before */
    for (size_t i = 0; i < raw.bytes;) {
        size_t divides = feature_group_sign(raw, i);
        bool is_digit = isdigit(raw.data[i]) != 0;
        if (divides > 0 ? run == 0 || run > 3 || !group_follows(raw, i + divides)
                        : !is_digit && raw.data[i] != '.' && raw.data[i] != ',') {
            return false;
        }
        if (divides == 0) {
            core->plain[core->bytes++] = raw.data[i];
        }
        run = is_digit ? run + 1 : 0;
        i += divides > 0 ? divides : 1;
    }
    return true;
}

struct shape {
    size_t points;
    size_t commas;
    size_t before; /* digits before the first sign */
    size_t behind; /* digits behind the last */
    bool groups;   /* three digits between each two signs, and behind the last */
    bool comma_last;
};

static struct shape shape_of(const struct core *core)
{
    struct shape shape = {.groups = true};
    size_t run = 0;
    for (size_t i = 0; i <= core->bytes; i++) {
        bool ends = i == core->bytes;
        if (!ends && isdigit(core->plain[i])) {
            run++;
            continue;
        }
        bool first = shape.points + shape.commas == 0;
        if (first) {
            shape.before = run;
        } else {
            shape.groups &= run == 3;
        }
        if (ends) {
            shape.behind = first ? 0 : run;
        } else {
            shape.points += core->plain[i] == '.';
            shape.commas += core->plain[i] == ',';
            shape.comma_last = core->plain[i] == ',';
        }
        run = 0;
    }
    return shape;
}

bool csv_form_vote(struct csv_votes *votes, struct proto_span cell, size_t times, size_t line)
{
    struct core core;
    if (!core_of(cell, &core)) {
        return false;
    }
    struct shape shape = shape_of(&core);
    bool both = shape.points > 0 && shape.commas > 0;
    if (shape.points + shape.commas == 0) {
        return true;
    }
    if (both && (shape.comma_last ? shape.commas : shape.points) > 1) {
        return false; /* "1.2,3,4" is no number */
    }
    if (both) {
        *(shape.comma_last ? &votes->comma : &votes->point) += times;
        return true;
    }
    size_t signs = shape.points + shape.commas;
    if (signs > 1) {
        /* Dates have points too, but no groups of three. */
        bool grouped = shape.groups && shape.before <= 3;
        if (grouped) {
            *(shape.points > 0 ? &votes->comma : &votes->point) += times;
        }
        return grouped;
    }
    bool thousands =
        shape.behind == 3 && shape.before >= 1 && shape.before <= 3 && core.plain[0] != '0';
    if (thousands) {
        *(shape.points > 0 ? &votes->one_point : &votes->one_comma) += times;
        if (votes->line == 0) {
            votes->line = line;
        }
        return true;
    }
    *(shape.points > 0 ? &votes->point : &votes->comma) += times;
    return true;
}

bool csv_form_is_open(const struct csv_votes *column)
{
    return column->point + column->comma == 0 && column->one_point + column->one_comma > 0;
}

void csv_form_join(struct csv_votes *file, const struct csv_votes *column)
{
    file->point += column->point;
    file->comma += column->comma;
    file->one_point += column->one_point;
    file->one_comma += column->one_comma;
}

enum csv_decimal csv_form_decide(const struct csv_votes *column, const struct csv_votes *file,
                                 char separator)
{
    /* A few slips do not change what a column is. */
    if (column->comma > 20 * column->point) {
        return CSV_DECIMAL_COMMA;
    }
    if (column->point + column->comma > 0 || !csv_form_is_open(column)) {
        return CSV_DECIMAL_POINT;
    }
    if (file->comma > 20 * file->point) {
        return CSV_DECIMAL_COMMA;
    }
    if (file->point + file->comma > 0) {
        return CSV_DECIMAL_POINT;
    }
    return separator == ';' ? CSV_DECIMAL_COMMA : CSV_DECIMAL_POINT;
}

struct proto_span csv_form_plain(enum csv_decimal decimal, struct proto_span cell, uint8_t *out)
{
    struct core core;
    if (decimal != CSV_DECIMAL_COMMA || !core_of(cell, &core)) {
        return cell;
    }
    struct shape shape = shape_of(&core);
    bool fits = shape.commas <= 1 && (shape.commas == 0 || shape.comma_last) &&
                (shape.points == 0 || shape.before <= 3);
    /* Points must divide thousands; the last group may be followed by the comma. */
    size_t run = 0;
    bool seen = false;
    for (size_t i = 0; i <= core.bytes && fits; i++) {
        bool ends = i == core.bytes || core.plain[i] == ',';
        if (!ends && core.plain[i] != '.') {
            run++;
            continue;
        }
        fits = !seen || run == 3;
        seen = true;
        run = 0;
        if (ends) {
            break;
        }
    }
    if (!fits || shape.points + shape.commas == 0) {
        return cell;
    }
    size_t used = 0;
    for (size_t i = 0; i < cell.bytes; i++) {
        bool inside =
            cell.data + i >= core.raw.data && cell.data + i < core.raw.data + core.raw.bytes;
        if (inside && cell.data[i] == '.') {
            continue;
        }
        out[used++] = inside && cell.data[i] == ',' ? '.' : cell.data[i];
    }
    return (struct proto_span){out, used};
}
