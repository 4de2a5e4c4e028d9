/* SPDX-License-Identifier: Apache-2.0 */
/* icp align form, show; icp report audit: whether leaders mean the same customer, from a form that
 * takes ten minutes; against the server's own figures where one is asked. */
#include <math.h>
#include <string.h>

#include "server/draw/draw_page.h"
#include "server/math/special.h"
#include "tools/cli/align_find.h"
#include "tools/cli/align_served.h"
#include "tools/cli/cmd.h"

enum { SEGMENTS_MAX = 30, ACCOUNTS_ASKED = 10, FILTERS_ASKED = 2, WORD_BYTES_MAX = 120 };

/* What is asked of everybody beside what a company asks of its own. */
static const char *const statements[] = {
    "We all describe our best customer in the same words",
    "Marketing works the accounts that sales wants",
    "Sales works the accounts that stay and grow",
    "We say no to deals outside our profile",
    "Success knows why a customer was won before it starts",
    "The roadmap follows our best customers, not the loudest",
    "One list of target accounts binds all functions",
    "Who owns each stage of the lifecycle is clear",
};

struct form {
    char segments[SEGMENTS_MAX][WORD_BYTES_MAX + 1];
    size_t segment_count;
    uint64_t leaders;
};

static int form_read(const struct cli *cli, struct form *form)
{
    const char *at = cli_text(cli, CLI_ALIGN_FORM_SEGMENTS);
    form->segment_count = 0;
    if (at == NULL) {
        return cli_fail(cli, EX_USAGE,
                        "--segments names what is to be ranked, with commas between");
    }
    while (*at != '\0') {
        at += strspn(at, ", ");
        size_t bytes = strcspn(at, ",");
        size_t end = bytes;
        while (end > 0 && at[end - 1] == ' ') {
            end--;
        }
        if (end > WORD_BYTES_MAX || form->segment_count == SEGMENTS_MAX) {
            return cli_fail(cli, EX_USAGE, "--segments: at most %d names of %d bytes", SEGMENTS_MAX,
                            WORD_BYTES_MAX);
        }
        if (end > 0) {
            (void)snprintf(form->segments[form->segment_count++], WORD_BYTES_MAX + 1, "%.*s",
                           (int)end, at);
        }
        at += bytes;
    }
    return form->segment_count >= 2
               ? EX_OK
               : cli_fail(cli, EX_USAGE, "--segments: two are needed at least");
}

static void boxes_write(FILE *out, const char *const *words)
{
    for (; *words != NULL; words++) {
        fprintf(out, "<td>&#9744; %s</td>", *words);
    }
}

/* A page to print, filled in by hand. */
static void form_write(FILE *out, const struct form *form)
{
    static const char *const scale[] = {"1 no", "2", "3", "4", "5 yes", NULL};
    draw_page_open(out, "Whom do we want as customers?");
    fputs("<p class=\"answer\">Ten minutes, alone, before anybody talks about it. What you do not "
          "know "
          "stays empty.</p>\n<p>Name ______________________ &#160; Function "
          "______________________</p>\n",
          out);
    draw_section_open(out, "segments", "1. Where should we go first?");
    fputs("<p>Number the segments: 1 for the first. Two that are equal have the same number.</p>\n"
          "<div "
          "class=\"scroll\"><table><thead><tr><th>segment</th><th>rank</th></tr></thead><tbody>\n",
          out);
    for (size_t i = 0; i < form->segment_count; i++) {
        fputs("<tr><th scope=\"row\">", out);
        draw_text(out, form->segments[i]);
        fputs("</th><td>______</td></tr>\n", out);
    }
    fputs("</tbody></table></div>\n", out);
    draw_section_close(out);
    draw_section_open(out, "accounts", "2. Which accounts should we win, or keep, this year?");
    fputs("<ol>\n", out);
    for (int i = 0; i < ACCOUNTS_ASKED; i++) {
        fputs("<li>______________________________</li>\n", out);
    }
    fputs("</ol>\n", out);
    draw_section_close(out);
    draw_section_open(out, "statements", "3. How far is this so?");
    fputs("<div class=\"scroll\"><table><tbody>\n", out);
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        fputs("<tr><th scope=\"row\">", out);
        draw_text(out, statements[i]);
        fputs("</th>", out);
        boxes_write(out, scale);
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table></div>\n", out);
    draw_section_close(out);
    draw_section_open(out, "filters", "4. How would one find them in our data?");
    fputs("<p>A condition on what we know of accounts, such as <code>industry = 'Banks' and "
          "employees &gt; 200</code>, or in words.</p>\n<ol>\n",
          out);
    for (int i = 0; i < FILTERS_ASKED; i++) {
        fputs("<li>______________________________</li>\n", out);
    }
    fputs("</ol>\n", out);
    draw_section_close(out);
    draw_page_close(out);
}

static void csv_line(FILE *out, uint64_t leader, const char *question, const char *item)
{
    fprintf(out, "leader %llu,,%s,", (unsigned long long)leader, question);
    out_csv_cell(out, proto_span_text(item), ',', true);
    fputs(",\n", out);
}

static void sheet_write(FILE *out, const struct form *form)
{
    char place[16];
    fputs("person,function,question,item,answer\n", out);
    for (uint64_t leader = 1; leader <= form->leaders; leader++) {
        for (size_t i = 0; i < form->segment_count; i++) {
            csv_line(out, leader, "segment", form->segments[i]);
        }
        for (int i = 1; i <= ACCOUNTS_ASKED; i++) {
            (void)snprintf(place, sizeof place, "%d", i);
            csv_line(out, leader, "account", place);
        }
        for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
            csv_line(out, leader, "statement", statements[i]);
        }
        for (int i = 1; i <= FILTERS_ASKED; i++) {
            (void)snprintf(place, sizeof place, "%d", i);
            csv_line(out, leader, "filter", place);
        }
    }
}

static int file_write(const struct cli *cli, const char *path, const struct form *form,
                      void (*write)(FILE *out, const struct form *form))
{
    struct out_file output;
    int status = cli_file_begin(cli, path, &output);
    if (status == EX_OK) {
        write(output.file, form);
        status = cli_file_commit(cli, &output);
    }
    return status;
}

int cmd_align_form(struct cli *cli)
{
    struct form form;
    const char *page = cli_text(cli, CLI_ALIGN_FORM_OUT);
    const char *sheet = cli_text(cli, CLI_ALIGN_FORM_SHEET);
    if (!cli_arguments(cli, 0, 0) ||
        !cli_number(cli, CLI_ALIGN_FORM_LEADERS, 3, 15, 5, &form.leaders)) {
        return EX_USAGE;
    }
    if (page == NULL && sheet == NULL) {
        return cli_fail(cli, EX_USAGE,
                        "--out FILE.html is the form, --sheet FILE.csv for its answers");
    }
    int status = form_read(cli, &form);
    if (status == EX_OK && page != NULL) {
        status = file_write(cli, page, &form, form_write);
    }
    return status == EX_OK && sheet != NULL ? file_write(cli, sheet, &form, sheet_write) : status;
}

/* What an audit comes to, and what it is made of. */
struct audited {
    struct align_answers answers;
    struct align_found found;
    struct align_stated stated;
};

static int file_fault(const struct cli *cli, struct proto_fault *fault)
{
    return fault->code == PROTO_NO_MEMORY ? cli_fault(cli, fault)
           : fault->code == PROTO_IO      ? cli_file_fault(cli, fault)
                                          : cli_fail(cli, EX_DATAERR, "%s", fault->message);
}

/* Options that are of figures of the server, and two sources of figures. */
static int options_check(const struct cli *cli)
{
    bool figures = cli_text_named(cli, "segment") != NULL;
    if (!figures && (cli_text_named(cli, "from") != NULL || cli_text_named(cli, "to") != NULL)) {
        return cli_fail(cli, EX_USAGE,
                        "--from and --to are of the figures that --segment asks "
                        "the server for");
    }
    if (figures && cli_text_named(cli, "against") != NULL) {
        return cli_fail(cli, EX_USAGE, "--against FILE.csv or --segment FIELD, not both");
    }
    return EX_OK;
}

/* Figures of the server, where --segment asks for them, and filters where --outcome does. */
static int served_read(const struct cli *cli, struct audited *audited)
{
    bool figures = cli_text_named(cli, "segment") != NULL;
    bool filters = cli_text_named(cli, "outcome") != NULL;
    if (!filters && audited->answers.filters.count > 0) {
        cli_say(cli,
                "%zu filters were stated: --outcome FILTER says what came of accounts, and "
                "scores them",
                audited->answers.filters.count);
    }
    int status = figures ? align_served_figures(cli, &audited->answers) : EX_OK;
    if (status == EX_OK && filters) {
        status = align_served_filters(cli, &audited->answers, &audited->stated);
    }
    return status;
}

/* Reads answers, and figures if there are some, and finds what they come to. */
static int answers_find(const struct cli *cli, struct audited *audited)
{
    struct proto_fault fault = {.code = PROTO_OK};
    const char *against = cli_text_named(cli, "against");
    *audited = (struct audited){.answers = {.ranks = NULL}};
    int status = options_check(cli);
    if (status != EX_OK) {
        return status;
    }
    if (!align_answers_read(cli->arguments[0], &audited->answers, &fault) ||
        (against != NULL && !align_figures_read(against, &audited->answers, &fault))) {
        return file_fault(cli, &fault);
    }
    status = served_read(cli, audited);
    if (status == EX_OK && !align_find(&audited->answers, &audited->found, &fault)) {
        return file_fault(cli, &fault);
    }
    audited->found.audit.filters = audited->stated.filters;
    audited->found.audit.filter_count = audited->stated.count;
    return status;
}

static void audited_fini(struct audited *audited)
{
    align_found_fini(&audited->found);
    align_stated_fini(&audited->stated);
    align_answers_fini(&audited->answers);
}

static void number_cell(struct out_table *table, double value)
{
    if (isnan(value)) {
        out_cell_text(table, "%s", "");
    } else {
        out_cell_number(table, "%.4f", value);
    }
}

static void filters_put(struct out_table *table, const struct report_audit *audit)
{
    static const char *const names[] = {"lift", "coverage", "auc"};
    for (size_t i = 0; i < audit->filter_count; i++) {
        const struct report_audit_filter *row = &audit->filters[i];
        const struct measure_stated *stated = &row->stated;
        const double figures[3][3] = {
            {stated->lift, stated->lift_low, stated->lift_high},
            {stated->coverage, stated->coverage_low, stated->coverage_high},
            {stated->auc, stated->auc_low, stated->auc_high}};
        for (int k = 0; k < 3; k++) {
            out_cell_text(table, "%s", names[k]);
            out_cell_text(table, "%s: %s", row->person, row->filter);
            number_cell(table, figures[k][0]);
            number_cell(table, figures[k][1]);
            number_cell(table, figures[k][2]);
            number_cell(table, MATH_NAN);
            out_cell_number(table, "%llu", (unsigned long long)row->n);
            out_cell_text(table, "%s", k == 2 ? stated->verdict : "");
        }
    }
}

static void rows_put(struct out_table *table, const struct report_audit *audit)
{
    for (size_t i = 0; i < audit->row_count; i++) {
        const struct report_audit_row *row = &audit->rows[i];
        out_cell_text(table, "%s", row->measure);
        out_cell_text(table, "%s", row->of);
        number_cell(table, row->value);
        number_cell(table, row->low);
        number_cell(table, row->high);
        number_cell(table, row->p);
        out_cell_number(table, "%zu", row->n);
        out_cell_text(table, "%s", row->words);
    }
    for (size_t i = 0; i < audit->people * audit->measures; i++) {
        out_cell_text(table, "%s", "spearman");
        out_cell_text(table, "%s: %s", audit->names[i / audit->measures],
                      audit->measure_names[i % audit->measures]);
        number_cell(table, audit->rho[i]);
        number_cell(table, MATH_NAN);
        number_cell(table, MATH_NAN);
        number_cell(table, audit->rho_p[i]);
        out_cell_number(table, "%zu", audit->rho_n[i]);
        out_cell_text(table, "%s",
                      isnan(audit->rho[i])           ? "too few segments"
                      : audit->rho_p[i] <= .05       ? "follows the data"
                      : audit->rho_against[i] <= .05 ? "goes against the data"
                                                     : "no more than chance gives");
    }
}

int cmd_align_show(struct cli *cli)
{
    static const char *const headers[] = {"measure", "of", "value", "low",
                                          "high",    "p",  "n",     "says"};
    struct audited audited;
    struct out_table table;
    if (!cli_arguments(cli, 1, 1)) {
        return EX_USAGE;
    }
    int status = answers_find(cli, &audited);
    if (status == EX_OK) {
        out_table_init(&table, headers, sizeof headers / sizeof *headers);
        rows_put(&table, &audited.found.audit);
        filters_put(&table, &audited.found.audit);
        status = cli_table(cli, &table);
    }
    audited_fini(&audited);
    return status;
}

int cmd_report_audit(struct cli *cli)
{
    struct audited audited;
    struct out_file output;
    const char *path = cli_text(cli, CLI_REPORT_AUDIT_OUT);
    if (!cli_arguments(cli, 1, 1)) {
        return EX_USAGE;
    }
    int status = answers_find(cli, &audited);
    status = status == EX_OK ? cli_file_begin(cli, path != NULL ? path : "-", &output) : status;
    if (status == EX_OK) {
        report_audit_write(output.file, &audited.found.audit);
        status = cli_file_commit(cli, &output);
    }
    audited_fini(&audited);
    return status;
}
