/* SPDX-License-Identifier: Apache-2.0 */
/* Persons are gathered under their teams in the order of the file. What the text of a request
 * cannot hold, a name with one of its signs, and a person of two teams end it with the line; one
 * who stands in the same team again is the same person. */
#include "tools/cli/measure_teams.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/base/grow.h"
#include "server/feature/span_text.h"
#include "tools/cli/csv/csv_input.h"
#include "tools/cli/csv/key_column.h"
#include "tools/cli/csv/text_count.h"
#include "tools/cli/csv_told.h"

/* Places in the counts of persons and of teams. */
struct member {
    size_t person, team;
};

struct roster {
    const struct cli *cli;
    struct csv_input *file;
    size_t person, team; /* columns */
    struct text_count persons, teams;
    struct member *members; /* by person, until they are printed */
    size_t member_room;
};

static int row_fail(const struct roster *roster, const struct csv_row *row, const char *what,
                    struct proto_span name)
{
    char shown[FEATURE_SHOWN_BYTES];
    return cli_fail(roster->cli, EX_DATAERR, "%s, line %zu: '%s' %s", csv_name(roster->file),
                    row->line, feature_text_show(name, shown, sizeof shown), what);
}

static bool name_fits(struct proto_span name)
{
    for (size_t i = 0; i < name.bytes; i++) {
        if (strchr(",;:", (char)name.data[i]) != NULL) {
            return false;
        }
    }
    return true;
}

static int member_add(struct roster *roster, const struct csv_row *row, struct proto_span person,
                      struct proto_span team)
{
    struct proto_fault fault;
    const struct text_entry *who = NULL;
    const struct text_entry *of = NULL;
    if (!text_count_add(&roster->persons, person, row->line, &who) ||
        !text_count_add(&roster->teams, team, row->line, &of)) {
        return cli_fail(roster->cli, EX_OSERR, "no memory for teams");
    }
    struct member member = {(size_t)(who - roster->persons.entries),
                            (size_t)(of - roster->teams.entries)};
    if (who->count > 1 && roster->members[member.person].team != member.team) {
        char what[64];
        (void)snprintf(what, sizeof what, "is in another team on line %zu", who->line);
        return row_fail(roster, row, what, person);
    }
    if (!base_grow(&roster->members, &roster->member_room, member.person + 1,
                   sizeof *roster->members, "persons", &fault)) {
        return cli_fail(roster->cli, EX_OSERR, "no memory for teams");
    }
    roster->members[member.person] = member;
    return EX_OK;
}

static int row_take(struct roster *roster, const struct csv_row *row)
{
    struct proto_span person = feature_text_trim(row->cells[roster->person]);
    struct proto_span team = feature_text_trim(row->cells[roster->team]);
    if (person.bytes == 0 || team.bytes == 0) {
        return EX_OK; /* is in none */
    }
    if (!name_fits(person) || !name_fits(team)) {
        return row_fail(roster, row, "has a comma, a colon or a semicolon, which part names",
                        name_fits(person) ? team : person);
    }
    return member_add(roster, row, person, team);
}

static int rows_take(struct roster *roster)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct csv_row row;
    int status = EX_OK;
    while (status == EX_OK && csv_next(roster->file, &row, &fault)) {
        status = row.bad ? cli_fail(roster->cli, EX_DATAERR, "%s, line %zu: %s",
                                    csv_name(roster->file), row.bad_line, row.message)
                         : row_take(roster, &row);
    }
    return status == EX_OK && fault.code != PROTO_OK ? cli_fault(roster->cli, &fault) : status;
}

static int columns_find(struct roster *roster, const char *person, const char *team)
{
    struct proto_fault fault = {.code = PROTO_OK};
    roster->person = csv_column_find(roster->file, person);
    roster->team = csv_column_find(roster->file, team);
    if (roster->person != SIZE_MAX && roster->team != SIZE_MAX) {
        return EX_OK;
    }
    (void)csv_column_absent(roster->file, "teams", roster->person == SIZE_MAX ? person : team,
                            &fault);
    return cli_fault(roster->cli, &fault);
}

static int by_team(const void *a, const void *b)
{
    const struct member *x = a;
    const struct member *y = b;
    return x->team != y->team ? (x->team > y->team) - (x->team < y->team)
                              : (x->person > y->person) - (x->person < y->person);
}

/* "north: Ann Lee, Bo Ray; south: Cy Poe" */
static int roster_print(struct roster *roster, char **text)
{
    size_t bytes = 0;
    size_t count = roster->persons.count;
    FILE *out = open_memstream(text, &bytes);
    if (out == NULL) {
        return cli_fail(roster->cli, EX_OSERR, "no memory for teams");
    }
    if (count > 0) {
        qsort(roster->members, count, sizeof *roster->members, by_team);
    }
    for (size_t i = 0; i < count; i++) {
        const struct member *member = &roster->members[i];
        struct proto_span team = roster->teams.entries[member->team].text;
        struct proto_span person = roster->persons.entries[member->person].text;
        bool first = i == 0 || member[-1].team != member->team;
        if (first) {
            fprintf(out, "%s%.*s: ", i > 0 ? "; " : "", (int)team.bytes, (const char *)team.data);
        }
        fprintf(out, "%s%.*s", first ? "" : ", ", (int)person.bytes, (const char *)person.data);
    }
    if (fclose(out) != 0) {
        return cli_fail(roster->cli, EX_OSERR, "no memory for teams");
    }
    return count > 0 ? EX_OK
                     : cli_fail(roster->cli, EX_DATAERR, "%s has nobody who is in a team",
                                csv_name(roster->file));
}

static int file_read(const struct cli *cli, const char *path, const char *person, const char *team,
                     char **text)
{
    int status = EX_OK;
    struct roster roster = {.cli = cli, .file = csv_told_open(cli, path, &status)};
    if (roster.file == NULL) {
        return status;
    }
    text_count_init(&roster.persons, UINT32_MAX);
    text_count_init(&roster.teams, UINT32_MAX);
    status = columns_find(&roster, person, team);
    status = status == EX_OK ? rows_take(&roster) : status;
    status = status == EX_OK ? roster_print(&roster, text) : status;
    free(roster.members);
    text_count_fini(&roster.persons);
    text_count_fini(&roster.teams);
    csv_close(roster.file);
    return status;
}

/* Whether the text begins as the name of a file does, up to the first colon. */
static bool is_file(const char *text)
{
    static const char suffix[] = ".csv";
    size_t bytes = strcspn(text, ":");
    return bytes >= sizeof suffix - 1 &&
           strncasecmp(text + bytes - (sizeof suffix - 1), suffix, sizeof suffix - 1) == 0;
}

int measure_teams_told(const struct cli *cli, char **text)
{
    const char *told = cli_text_named(cli, "teams");
    char *person = NULL;
    char *team = NULL;
    *text = NULL;
    if (told == NULL) {
        return EX_OK;
    }
    char *copy = strdup(told);
    if (copy == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory for teams");
    }
    if (csv_told_split(copy, &person, &team)) {
        int status = file_read(cli, copy, person, team, text);
        free(copy);
        return status;
    }
    if (is_file(told)) {
        free(copy);
        return cli_fail(cli, EX_USAGE,
                        "--teams: '%s' is not FILE.csv:PERSON=TEAM, such as "
                        "teams.csv:agent=manager; without a file, a team is its name, a colon and "
                        "its persons",
                        told);
    }
    *text = copy; /* as it is */
    return EX_OK;
}
