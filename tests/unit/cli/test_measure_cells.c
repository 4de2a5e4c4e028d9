/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include "server/measure/spell.h"
#include "tools/cli/measure_cells.h"
#include "tools/cli/measure_rows.h"

/* A command line that names columns by their options. */
static struct cli cli_of(struct cli_setting *settings, size_t count)
{
    for (size_t i = 0; i < CLI_COMMANDS; i++) {
        if (strcmp(cli_commands()[i].name, "measure") == 0) {
            return (struct cli){
                .command = &cli_commands()[i], .settings = settings, .setting_count = count};
        }
    }
    return (struct cli){.command = NULL};
}

enum { AMOUNT, START, TRIAL, TERM, PICKS };

static struct csv_input *opened(const char *text, struct measure_pick picks[PICKS])
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct cli_setting settings[] = {{CLI_MEASURE_AMOUNT, "m"},
                                     {CLI_MEASURE_START, "s"},
                                     {CLI_MEASURE_TRIAL, "f"},
                                     {CLI_MEASURE_TERM, "t"}};
    struct cli cli = cli_of(settings, 4);
    const struct measure_pick wanted[PICKS] = {
        [AMOUNT] = {.option = "amount", .kind = CELL_MONEY, .needed = true},
        [START] = {.option = "start", .kind = CELL_DAY},
        [TRIAL] = {.option = "trial", .kind = CELL_FLAG},
        [TERM] = {.option = "term", .kind = CELL_TERM}};
    struct csv_input *input = csv_open_bytes(proto_span_text(text), "f.csv", NULL, &fault);
    assert_non_null(input);
    memcpy(picks, wanted, sizeof wanted);
    assert_int_equal(measure_picks_open(&cli, input, picks, PICKS), EX_OK);
    return input;
}

/* The first row's amount in a file with another row that settles how numbers are written. */
static void amount_is(const char *cell, const char *other, bool good, int64_t minor)
{
    char text[256];
    struct measure_pick picks[PICKS];
    struct proto_fault fault = {.code = PROTO_OK};
    struct csv_row row;
    int64_t read = 0;
    bool told = false;
    snprintf(text, sizeof text, "m;s;f;t\n%s;;;\n%s;;;\n", cell, other);
    struct csv_input *input = opened(text, picks);
    assert_true(csv_next(input, &row, &fault));
    bool is_good = measure_cell_money(&picks[AMOUNT], &row, "", &read, &told, &fault);
    if (is_good != good || (good && read != minor)) {
        fail_msg("%s: %d, %lld", cell, is_good, (long long)read);
    }
    csv_close(input);
}

static void amounts_are_read_in_the_form_of_their_column(void **state)
{
    (void)state;
    amount_is("12", "1.50", true, 1200);
    amount_is("12.5", "1.50", true, 1250);
    amount_is("$1,234.56", "1.50", true, 123456);
    amount_is("1234.56 $", "1.50", true, 123456);
    amount_is("€ 99.90", "1.50", true, 9990);
    amount_is("1.234,56", "3,5", true, 123456);
    amount_is("1.234", "3,5", true, 123400);
    amount_is("-5", "1.50", true, -500);
    amount_is("5.000", "1.50", true, 500);
    amount_is("5.005", "1.50", false, 0);
    amount_is("12 apples", "1.50", false, 0);
    amount_is("1e3", "1.50", false, 0);
    amount_is("100000000000000", "1.50", false, 0); /* beyond the bound */
}

static void a_number_that_is_refused_is_told_what_would_do(void **state)
{
    (void)state;
    static const struct {
        const char *cell;
        unsigned places;
        const char *message; /* NULL: it is read */
    } cases[] = {
        {"12", 0, NULL},
        {"1.5", 3, NULL},
        {"99999", 0, "'99999' is no whole number up to 9000"},
        {"1.5", 0, "'1.5' is no whole number up to 9000"},
        {"99999", 3, "'99999' is no number up to 9 with 3 digits behind the point"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64];
        struct measure_pick picks[PICKS];
        struct proto_fault fault = {.code = PROTO_OK};
        struct csv_row row;
        int64_t number = 0;
        bool told = false;
        snprintf(text, sizeof text, "m;s;f;t\n%s;;;\n", cases[i].cell);
        struct csv_input *input = opened(text, picks);
        assert_true(csv_next(input, &row, &fault));
        bool good = measure_cell_decimal(&picks[AMOUNT], &row, cases[i].places, 9000, &number,
                                         &told, &fault);
        assert_int_equal(good, cases[i].message == NULL);
        if (!good) {
            assert_string_equal(fault.message, cases[i].message);
        }
        csv_close(input);
    }
}

static void days_flags_and_terms_are_read_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *day, *flag, *term;
        bool day_good, flag_good, term_good;
        int64_t days;
        bool yes;
        uint32_t months;
    } cases[] = {
        {"02-01-1970", "TRUE", "Monthly", true, true, true, 1, true, 1},
        {"31-01-1970", "no", "annual", true, true, true, 30, false, 12},
        {"1970-01-05", "1", "3 years", true, true, true, 4, true, 36},
        {"02-01-1970", "y", "24", true, true, true, 1, true, 24},
        {"02-01-1970", "0", "6 months", true, true, true, 1, false, 6},
        {"02-01-1970", "perhaps", "sometimes", true, false, false, 1, false, 0},
        {"soon", "f", "12 weeks", false, true, false, 0, false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        struct measure_pick picks[PICKS];
        struct proto_fault fault = {.code = PROTO_OK};
        struct csv_row row;
        int64_t ms = 0;
        bool told = false;
        bool flag = false;
        uint32_t months = 0;
        snprintf(text, sizeof text, "m,s,f,t\n1,%s,%s,%s\n1,31-01-1970,,\n", cases[i].day,
                 cases[i].flag, cases[i].term);
        struct csv_input *input = opened(text, picks);
        assert_true(csv_next(input, &row, &fault));
        assert_int_equal(measure_cell_day(&picks[START], &row, &ms, &told, &fault),
                         cases[i].day_good);
        assert_int_equal(measure_cell_flag(&picks[TRIAL], &row, &flag, &fault), cases[i].flag_good);
        assert_int_equal(measure_cell_term(&picks[TERM], &row, &months, &fault),
                         cases[i].term_good);
        assert_int_equal(flag, cases[i].yes);
        assert_true(!cases[i].day_good || ms == cases[i].days * MEASURE_DAY_MS);
        assert_true(!cases[i].term_good || months == cases[i].months);
        csv_close(input);
    }
}

static void an_empty_cell_is_not_told(void **state)
{
    (void)state;
    struct measure_pick picks[PICKS];
    struct proto_fault fault = {.code = PROTO_OK};
    struct csv_row row;
    int64_t value = 77;
    bool told = true;
    bool flag = true;
    uint32_t months = 5;
    struct csv_input *input = opened("m,s,f,t,x\n,,,,1\n", picks);
    assert_true(csv_next(input, &row, &fault));
    assert_true(measure_cell_money(&picks[AMOUNT], &row, "", &value, &told, &fault));
    assert_false(told);
    assert_true(measure_cell_day(&picks[START], &row, &value, &told, &fault));
    assert_false(told);
    assert_int_equal(value, 77);
    assert_true(measure_cell_flag(&picks[TRIAL], &row, &flag, &fault));
    assert_true(flag);
    /* A term that a column should tell is missed. */
    assert_false(measure_cell_term(&picks[TERM], &row, &months, &fault));
    picks[TERM].column = SIZE_MAX;
    assert_true(measure_cell_term(&picks[TERM], &row, &months, &fault));
    assert_int_equal(months, 5);
    csv_close(input);
}

static void a_place_says_line_character_and_column(void **state)
{
    (void)state;
    char place[MEASURE_PLACE_BYTES];
    struct measure_pick picks[PICKS];
    struct proto_fault fault = {.code = PROTO_OK};
    struct csv_row row;
    struct csv_input *input = opened("m,s,f,t\n1,,,\nüü,x,,\n", picks);
    assert_true(csv_next(input, &row, &fault) && csv_next(input, &row, &fault));
    assert_string_equal(measure_cell_told(input, &row, 1, "wrong", place, sizeof place),
                        "f.csv, line 3, column 4 (s): wrong");
    assert_string_equal(measure_cell_told(input, &row, SIZE_MAX, "wrong", place, sizeof place),
                        "f.csv, line 3: wrong");
    csv_close(input);
}

static void accounts_are_numbered_as_they_come(void **state)
{
    (void)state;
    struct text_count accounts;
    struct proto_fault fault = {.code = PROTO_OK};
    uint32_t number = 9;
    text_count_init(&accounts, 2);
    assert_true(measure_account_number(&accounts, proto_span_text("a"), 2, &number, &fault));
    assert_int_equal(number, 0);
    assert_true(measure_account_number(&accounts, proto_span_text("b"), 3, &number, &fault));
    assert_true(measure_account_number(&accounts, proto_span_text("b"), 4, &number, &fault));
    assert_int_equal(number, 1);
    assert_false(measure_account_number(&accounts, proto_span_text(""), 5, &number, &fault));
    assert_int_equal(fault.code, PROTO_MISSING_FIELD);
    assert_false(measure_account_number(&accounts, proto_span_text("c"), 6, &number, &fault));
    assert_int_equal(fault.code, PROTO_LIMIT);
    text_count_fini(&accounts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts_are_read_in_the_form_of_their_column),
        cmocka_unit_test(a_number_that_is_refused_is_told_what_would_do),
        cmocka_unit_test(days_flags_and_terms_are_read_or_refused),
        cmocka_unit_test(an_empty_cell_is_not_told),
        cmocka_unit_test(a_place_says_line_character_and_column),
        cmocka_unit_test(accounts_are_numbered_as_they_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
