/* SPDX-License-Identifier: Apache-2.0 */
/* icp split: the rows of a file in two files at random. Each row is drawn on its own (a share of
 * exactly round(fraction · rows) is chosen), bytes stay as they are, and the order too; the same
 * seed gives the same split on every machine. */
#include <stdlib.h>

#include "server/math/random.h"
#include "tools/cli/cmd.h"
#include "tools/cli/csv/csv_input.h"
#include "tools/cli/csv/key_column.h"
#include "tools/cli/csv_told.h"

static bool fraction_read(const struct cli *cli, double *fraction)
{
    const char *text = cli_text(cli, CLI_SPLIT_FRACTION);
    char *end = NULL;
    *fraction = text != NULL ? strtod(text, &end) : 0.7;
    if (text == NULL || (end != text && *end == '\0' && *fraction >= 0 && *fraction <= 1)) {
        return true;
    }
    (void)cli_fail(cli, EX_USAGE, "--fraction: '%s' is not a share from 0 to 1", text);
    return false;
}

/* Rows of the file, the bad ones told and counted as one row each: nothing gets lost in a split. */
static int rows_count(const struct cli *cli, struct csv_input *input, size_t *rows)
{
    struct proto_fault fault = {.code = PROTO_OK};
    char place[CSV_PLACE_BYTES];
    struct csv_row row;
    while (csv_next(input, &row, &fault)) {
        (*rows)++;
        if (row.bad) {
            cli_say(cli, "%s: %s; the line is kept as it is",
                    csv_row_place(input, &row, place, sizeof place), row.message);
        }
    }
    csv_rewind(input);
    return fault.code == PROTO_OK ? EX_OK : cli_fault(cli, &fault);
}

static void row_write(FILE *out, struct proto_span raw)
{
    fwrite(raw.data, 1, raw.bytes, out);
    /* The last line of a file may have no end; in the middle of another it needs one. */
    if (raw.bytes > 0 && raw.data[raw.bytes - 1] != '\n' && raw.data[raw.bytes - 1] != '\r') {
        fputc('\n', out);
    }
}

/* Selection sampling (Knuth, algorithm S): exactly `chosen` of `rows`, in order. */
static int rows_deal(const struct cli *cli, struct csv_input *input, size_t rows, size_t chosen,
                     uint64_t seed, FILE *const outs[2])
{
    static const char mark[] = "\xef\xbb\xbf";
    struct math_random random;
    math_random_init(&random, seed);
    for (size_t i = 0; i < 2; i++) {
        if (csv_has_mark(input)) {
            fputs(mark, outs[i]);
        }
        row_write(outs[i], csv_header(input));
    }
    struct proto_fault fault = {.code = PROTO_OK};
    struct csv_row row;
    for (size_t left = rows; csv_next(input, &row, &fault); left--) {
        bool take = math_random_below(&random, left) < chosen;
        row_write(outs[take ? 0 : 1], row.raw);
        chosen -= take;
    }
    return fault.code == PROTO_OK ? EX_OK : cli_fault(cli, &fault);
}

static int split(const struct cli *cli, struct csv_input *input, double fraction, uint64_t seed)
{
    size_t rows = 0;
    int status = rows_count(cli, input, &rows);
    if (status != EX_OK) {
        return status;
    }
    size_t chosen = (size_t)(fraction * (double)rows + 0.5);
    struct out_file out = {0};
    struct out_file rest = {0};
    status = cli_file_begin(cli, cli_text(cli, CLI_SPLIT_OUT), &out);
    if (status == EX_OK) {
        status = cli_file_begin(cli, cli_text(cli, CLI_SPLIT_REST), &rest);
    }
    if (status == EX_OK) {
        status = rows_deal(cli, input, rows, chosen, seed, (FILE *const[]){out.file, rest.file});
    }
    if (status == EX_OK) {
        status = cli_file_commit(cli, &out);
    }
    if (status == EX_OK) {
        status = cli_file_commit(cli, &rest);
    }
    if (status == EX_OK) {
        cli_say(cli, "%zu rows: %zu to %s, %zu to %s", rows, chosen, cli_text(cli, CLI_SPLIT_OUT),
                rows - chosen, cli_text(cli, CLI_SPLIT_REST));
    }
    out_file_abandon(&out);
    out_file_abandon(&rest);
    return status;
}

int cmd_split(struct cli *cli)
{
    double fraction = 0;
    uint64_t seed = 0;
    if (!cli_arguments(cli, 1, 1) || !fraction_read(cli, &fraction) ||
        !cli_number(cli, CLI_SPLIT_SEED, 0, INT64_MAX, 1, &seed)) {
        return EX_USAGE;
    }
    if (!cli_has(cli, CLI_SPLIT_OUT) || !cli_has(cli, CLI_SPLIT_REST)) {
        return cli_fail(cli, EX_USAGE, "both --out FILE and --rest FILE are needed");
    }
    int status = EX_OK;
    struct csv_input *input = csv_told_open(cli, cli->arguments[0], &status);
    if (input == NULL) {
        return status;
    }
    status = split(cli, input, fraction, seed);
    csv_close(input);
    return status;
}
