/* SPDX-License-Identifier: Apache-2.0 */
/* Tables are made from the lists of the reply; as CSV the accounts alone. */
#include "tools/cli/what_if_print.h"
#include "tools/cli/member.h"
#include "tools/cli/out/out_number.h"

/* What the versions expect of something, where they have learned a value. */
struct worth {
    bool before, after;
};

static struct worth worth_of(const struct icp_reply *reply)
{
    return (struct worth){icp_reply_text(reply, "value_before").bytes > 0,
                          icp_reply_text(reply, "value_after").bytes > 0};
}

static int worth_headers(const char **headers, int count, struct worth worth)
{
    if (worth.before) {
        headers[count++] = "expected now";
    }
    if (worth.after) {
        headers[count++] = "expected then";
    }
    return count;
}

static void worth_cells(struct out_table *table, const struct icp_value *map, struct worth worth)
{
    if (worth.before) {
        out_cell_number(table, "%.0f", member_number(map, "expected_before"));
    }
    if (worth.after) {
        out_cell_number(table, "%.0f", member_number(map, "expected_after"));
    }
}

static const char *whole(double number, char text[OUT_NUMBER_BYTES])
{
    if (number < 1e15) {
        return out_count((uint64_t)(number + 0.5), text);
    }
    (void)snprintf(text, OUT_NUMBER_BYTES, "%.6g", number);
    return text;
}

static void worth_print(const struct cli *cli, const struct icp_reply *reply, struct worth worth)
{
    struct icp_text now = icp_reply_text(reply, "value_before");
    struct icp_text then = icp_reply_text(reply, "value_after");
    double before = icp_reply_number(reply, "expected_before", 0);
    double after = icp_reply_number(reply, "expected_after", 0);
    bool same = now.bytes == then.bytes && memcmp(now.data, then.data, now.bytes) == 0;
    if (worth.before && worth.after && same) {
        char numbers[2][OUT_NUMBER_BYTES];
        double change = before > 0 ? 100 * (after / before - 1) : 0;
        cli_print(cli, "expected %.*s: %s instead of %s (%+.1f %%)\n", (int)then.bytes, then.data,
                  whole(after, numbers[0]), whole(before, numbers[1]), out_signed(change, 1));
        return;
    }
    if (worth.after) {
        cli_print(cli, "expected %.*s then: %s\n", (int)then.bytes, then.data,
                  whole(after, (char[OUT_NUMBER_BYTES]){0}));
    }
    if (worth.before) {
        cli_print(cli, "expected %.*s now: %s\n", (int)now.bytes, now.data,
                  whole(before, (char[OUT_NUMBER_BYTES]){0}));
    }
    if (worth.before || worth.after) {
        cli_print(cli, worth.before && worth.after
                           ? "the versions learned different values: these do not compare\n"
                           : "only one of the versions has learned a value\n");
    }
}

/* A row for each grade by the one version, a column for each by the other. */
static int moves_print(const struct cli *cli, const struct icp_reply *reply)
{
    static const char *const headers[] = {"grade now", "A", "B", "C", "D"};
    double counts[4][4] = {{0}};
    struct out_table table;
    struct icp_value moves;
    struct icp_value move;
    (void)icp_reply_get(reply, "moves", &moves);
    struct icp_walk walk = icp_walk_over(&moves);
    while (icp_next(&walk, NULL, &move)) {
        struct icp_text from = member_text(&move, "now");
        struct icp_text to = member_text(&move, "then");
        if (from.bytes == 1 && to.bytes == 1 && from.data[0] >= 'A' && from.data[0] <= 'D' &&
            to.data[0] >= 'A' && to.data[0] <= 'D') {
            counts[from.data[0] - 'A'][to.data[0] - 'A'] = member_number(&move, "accounts");
        }
    }
    out_table_init(&table, headers, 5);
    for (int from = 0; from < 4; from++) {
        out_cell_text(&table, "%c", 'A' + from);
        for (int to = 0; to < 4; to++) {
            out_cell_number(&table, "%.0f", counts[from][to]);
        }
    }
    return cli_table(cli, &table);
}

static int parts_print(const struct cli *cli, const struct icp_value *parts, struct worth worth)
{
    const char *headers[8] = {"value", "accounts", "better", "worse", "A now", "A then"};
    static const char *const names[] = {"accounts", "up", "down", "best_before", "best_after"};
    struct out_table table;
    struct icp_value part;
    out_table_init(&table, headers, (size_t)worth_headers(headers, 6, worth));
    struct icp_walk walk = icp_walk_over(parts);
    while (icp_next(&walk, NULL, &part)) {
        struct icp_text value = member_text(&part, "value");
        if (value.bytes > 0) {
            out_cell_text_n(&table, value);
        } else {
            out_cell_text(&table, "(missing)");
        }
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            out_cell_number(&table, "%.0f", member_number(&part, names[i]));
        }
        worth_cells(&table, &part, worth);
    }
    cli_print(cli, "\n");
    return cli_table(cli, &table);
}

static int changed_print(const struct cli *cli, const struct icp_reply *reply)
{
    const char *headers[8] = {"id", "now", "then", "better than % now", "then %"};
    const char *named[8] = {"id", "name", "now", "then", "better than % now", "then %"};
    struct worth worth = worth_of(reply);
    struct out_table table;
    struct icp_value changed;
    struct icp_value account;
    (void)icp_reply_get(reply, "changed", &changed);
    bool names = cli_named(&changed);
    if (changed.count == 0 && cli->style.form == OUT_TABLE) {
        return EX_OK;
    }
    out_table_init(&table, names ? named : headers,
                   (size_t)worth_headers(names ? named : headers, names ? 6 : 5, worth));
    struct icp_walk walk = icp_walk_over(&changed);
    while (icp_next(&walk, NULL, &account)) {
        out_cell_text_n(&table, member_text(&account, "id"));
        if (names) {
            out_cell_text_n(&table, member_text(&account, "name"));
        }
        out_cell_text_n(&table, member_text(&account, "now"));
        out_cell_text_n(&table, member_text(&account, "then"));
        out_cell_number(&table, "%.1f", member_number(&account, "fit_before"));
        out_cell_number(&table, "%.1f", member_number(&account, "fit_after"));
        worth_cells(&table, &account, worth);
    }
    if (cli->style.form == OUT_TABLE) {
        cli_print(cli, "\n");
    }
    return cli_table(cli, &table);
}

int what_if_print(const struct cli *cli, const struct icp_reply *reply)
{
    struct icp_value parts;
    double accounts = icp_reply_number(reply, "accounts", 0);
    double up = icp_reply_number(reply, "up", 0);
    double down = icp_reply_number(reply, "down", 0);
    char numbers[4][OUT_NUMBER_BYTES];
    if (cli->style.form == OUT_CSV) {
        return changed_print(cli, reply);
    }
    cli_print(
        cli,
        "with version %lld instead of %lld, %s of %s accounts change grade (%.1f %%): "
        "%s better, %s worse\n",
        (long long)icp_reply_int(reply, "icp", 0), (long long)icp_reply_int(reply, "against", 0),
        out_count((uint64_t)(up + down), numbers[0]), out_count((uint64_t)accounts, numbers[1]),
        accounts > 0 ? 100 * (up + down) / accounts : 0, out_count((uint64_t)up, numbers[2]),
        out_count((uint64_t)down, numbers[3]));
    worth_print(cli, reply, worth_of(reply));
    int status = moves_print(cli, reply);
    if (status == EX_OK && icp_reply_get(reply, "parts", &parts)) {
        status = parts_print(cli, &parts, worth_of(reply));
    }
    return status == EX_OK ? changed_print(cli, reply) : status;
}
