/* SPDX-License-Identifier: Apache-2.0 */
/* icp match review: one candidate after another is shown, and a person says whether it is the one.
 * Each answer is in the file before the next question, so that a review goes on where it stopped.
 * Answers come from standard input, whatever that is; its end is as good as quitting. */
#include <stdlib.h>
#include <string.h>

#include "tools/cli/cmd.h"
#include "tools/cli/match_pairs.h"
#include "tools/cli/match_review.h"

struct review {
    const struct cli *cli;
    const char *path;
    struct sheet sheet;
    bool quit;
    bool again; /* the same candidate: what was answered was about others */
};

static int sheet_save(const struct review *review)
{
    struct out_file output;
    int status = cli_file_begin(review->cli, review->path, &output);
    if (status != EX_OK) {
        return status;
    }
    sheet_write(&review->sheet, output.file, false);
    return cli_file_commit(review->cli, &output);
}

static bool is_open(const struct sheet *sheet, size_t line)
{
    return !sheet_is(sheet, line, SHEET_MATCH, "none") &&
           !sheet_is(sheet, line, SHEET_MATCH, "key") && sheet_is(sheet, line, SHEET_DECISION, "");
}

static void question_print(const struct review *review, size_t line)
{
    char *const *cells = review->sheet.lines[line];
    cli_print(review->cli,
              "\n%s  (line %s%s%s)\n  %s: %s  %s\n  score %s: %s\n"
              "one company? yes, no, skip, all the same, quit [y/n/s/a/q] ",
              cells[SHEET_NAME], cells[SHEET_LINE], cells[SHEET_KEY][0] != '\0' ? ", " : "",
              cells[SHEET_KEY], cells[SHEET_MATCH], cells[SHEET_ID], cells[SHEET_ACCOUNT],
              cells[SHEET_SCORE], cells[SHEET_WHY]);
    (void)fflush(review->cli->style.sink.file);
}

/* The first letter of a line of standard input that is an answer; 'q' at its end. */
static char answer_read(const struct review *review)
{
    char *text = NULL;
    size_t room = 0;
    char answer = '\0';
    while (answer == '\0') {
        if (getline(&text, &room, stdin) < 0) {
            answer = 'q';
        } else if (strchr("ynsaq", text[0]) != NULL && text[0] != '\0') {
            answer = text[0];
        } else {
            cli_print(review->cli, "y, n, s, a or q: ");
            (void)fflush(review->cli->style.sink.file);
        }
    }
    free(text);
    return answer;
}

/* Every row that has a candidate of the same name, and no other such. */
static bool all_same(struct sheet *sheet)
{
    for (size_t at = 0; at < sheet->count; at++) {
        if (is_open(sheet, at) && sheet_is(sheet, at, SHEET_MATCH, "same") &&
            sheet_row_link(sheet, at) == SIZE_MAX && !sheet_decide(sheet, at, "yes")) {
            return false;
        }
    }
    return true;
}

static int candidate_ask(struct review *review, size_t line)
{
    bool good = true;
    question_print(review, line);
    switch (answer_read(review)) {
    case 'y':
        good = sheet_decide(&review->sheet, line, "yes");
        break;
    case 'n':
        good = sheet_decide(&review->sheet, line, "never");
        break;
    case 'a':
        good = all_same(&review->sheet);
        review->again = true;
        break;
    case 's':
        return EX_OK;
    default:
        review->quit = true;
        return EX_OK;
    }
    return good ? sheet_save(review) : cli_fail(review->cli, EX_OSERR, "no memory");
}

static int row_ask(struct review *review, size_t line)
{
    int status = EX_OK;
    size_t end = sheet_row_end(&review->sheet, line);
    for (size_t at = line; at < end && status == EX_OK && !review->quit;) {
        review->again = false;
        if (sheet_row_link(&review->sheet, line) == SIZE_MAX && is_open(&review->sheet, at)) {
            status = candidate_ask(review, at);
        }
        at += !review->again;
    }
    return status;
}

static int rows_ask(struct review *review)
{
    int status = EX_OK;
    for (size_t at = 0; at < review->sheet.count && status == EX_OK && !review->quit;
         at = sheet_row_end(&review->sheet, at)) {
        status = row_ask(review, at);
    }
    cli_print(review->cli, "\n");
    return status;
}

/* Keys of rows that a person linked: the namespace is that of all of them. */
static int keys_write(const struct review *review, const char *path)
{
    const struct sheet *sheet = &review->sheet;
    struct out_file output;
    const char *space = NULL;
    size_t written = 0;
    int status = cli_file_begin(review->cli, path, &output);
    if (status != EX_OK) {
        return status;
    }
    for (size_t at = 0; at < sheet->count; at++) {
        const char *key = sheet->lines[at][SHEET_KEY];
        const char *colon = strchr(key, ':');
        if (!sheet_is(sheet, at, SHEET_DECISION, "yes") || colon == NULL) {
            continue;
        }
        if (space == NULL) {
            space = key;
            fprintf(output.file, "id,%.*s\n", (int)(colon - key), key);
        } else if (strncmp(space, key, (size_t)(colon - key) + 1) != 0) {
            out_file_abandon(&output);
            return cli_fail(review->cli, EX_DATAERR, "line %s: key '%s' is of another namespace",
                            sheet->lines[at][SHEET_LINE], key);
        }
        out_csv_cell(output.file, proto_span_text(sheet->lines[at][SHEET_ID]), ',', false);
        fputc(',', output.file);
        out_csv_cell(output.file, proto_span_text(colon + 1), ',', false);
        fputc('\n', output.file);
        written++;
    }
    if (written == 0) {
        out_file_abandon(&output);
        cli_say(review->cli,
                "no key to write to %s: no row with a key of its own (icp match --as) "
                "is linked by name yet",
                path);
        return EX_OK;
    }
    status = cli_file_commit(review->cli, &output);
    if (status == EX_OK) {
        int bytes = (int)strcspn(space, ":");
        cli_say(review->cli, "%zu keys in %s: icp import %s --id id --key %.*s=%.*s", written, path,
                path, bytes, space, bytes, space);
    }
    return status;
}

int cmd_match_review(struct cli *cli)
{
    struct review review = {.cli = cli};
    struct proto_fault fault;
    if (!cli_arguments(cli, 1, 1)) {
        return EX_USAGE;
    }
    review.path = cli->arguments[0];
    int status =
        sheet_read(&review.sheet, review.path, &fault) ? EX_OK : cli_file_fault(cli, &fault);
    bool pairs = status == EX_OK && match_pairs_are(&review.sheet);
    if (status == EX_OK &&
        (pairs ? cli_has(cli, CLI_MATCH_REVIEW_KEYS) : cli_has(cli, CLI_MATCH_REVIEW_SAY))) {
        status = cli_fail(cli, EX_USAGE,
                          pairs ? "--keys: these are pairs of stored accounts; --say tells the "
                                  "server what you decided"
                                : "--say goes with the pairs of icp match --stored; --keys writes "
                                  "the keys of rows of a file");
    }
    if (status == EX_OK) {
        status = rows_ask(&review);
        tally_say(cli, &review.sheet);
    }
    if (status == EX_OK && cli_has(cli, CLI_MATCH_REVIEW_SAY)) {
        status = match_pairs_say(cli, &review.sheet);
    }
    if (status == EX_OK && cli_has(cli, CLI_MATCH_REVIEW_KEYS)) {
        status = keys_write(&review, cli_text(cli, CLI_MATCH_REVIEW_KEYS));
    }
    sheet_fini(&review.sheet);
    return status;
}
