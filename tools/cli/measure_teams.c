/* SPDX-License-Identifier: Apache-2.0 */
/* Persons are gathered under their teams in the order of the file. What the text of a request
 * cannot hold, a name with one of its signs, and a person of two teams end it with the line. */
#include "tools/cli/measure_teams.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/feature/span_text.h"
#include "tools/cli/csv/csv_input.h"
#include "tools/cli/csv/key_column.h"
#include "tools/cli/csv/text_count.h"
#include "tools/cli/csv_told.h"

enum { TEAMS_MAX = 4096 };

struct roster {
    const struct cli *cli;
    struct csv_input *file;
    size_t person, team; /* columns */
    struct text_count persons, teams;
    char **members; /* by team: names with ", " between */
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

static bool member_add(struct roster *roster, size_t team, struct proto_span person)
{
    const char *before = roster->members[team] != NULL ? roster->members[team] : "";
    size_t room = strlen(before) + person.bytes + 3;
    char *grown = malloc(room);
    if (grown == NULL) {
        return false;
    }
    (void)snprintf(grown, room, "%s%s%.*s", before, before[0] != '\0' ? ", " : "",
                   (int)person.bytes, (const char *)person.data);
    free(roster->members[team]);
    roster->members[team] = grown;
    return true;
}

static int row_take(struct roster *roster, const struct csv_row *row)
{
    struct proto_span person = feature_text_trim(row->cells[roster->person]);
    struct proto_span team = feature_text_trim(row->cells[roster->team]);
    const struct text_entry *found = NULL;
    if (person.bytes == 0 || team.bytes == 0) {
        return EX_OK; /* is in none */
    }
    if (!name_fits(person) || !name_fits(team)) {
        return row_fail(roster, row, "has a comma, a colon or a semicolon, which part names",
                        name_fits(person) ? team : person);
    }
    if (!text_count_add(&roster->persons, person, row->line, &found)) {
        return cli_fail(roster->cli, EX_OSERR, "no memory for teams");
    }
    if (found == NULL || found->count > 1) {
        return row_fail(roster, row, "stands in a team on a line before", person);
    }
    if (!text_count_add(&roster->teams, team, row->line, &found)) {
        return cli_fail(roster->cli, EX_OSERR, "no memory for teams");
    }
    if (found == NULL) {
        return cli_fail(roster->cli, EX_DATAERR, "%s, line %zu: more than %d teams",
                        csv_name(roster->file), row->line, TEAMS_MAX);
    }
    return member_add(roster, (size_t)(found - roster->teams.entries), person)
               ? EX_OK
               : cli_fail(roster->cli, EX_OSERR, "no memory for teams");
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

/* "north: Ann Lee, Bo Ray; south: Cy Poe" */
static int roster_print(const struct roster *roster, char **text)
{
    size_t bytes = 0;
    FILE *out = open_memstream(text, &bytes);
    if (out == NULL) {
        return cli_fail(roster->cli, EX_OSERR, "no memory for teams");
    }
    for (size_t i = 0; i < roster->teams.count && roster->members != NULL; i++) {
        struct proto_span team = roster->teams.entries[i].text;
        fprintf(out, "%s%.*s: %s", i > 0 ? "; " : "", (int)team.bytes, (const char *)team.data,
                roster->members[i]);
    }
    if (fclose(out) != 0) {
        return cli_fail(roster->cli, EX_OSERR, "no memory for teams");
    }
    return bytes > 0 ? EX_OK
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
    text_count_init(&roster.teams, TEAMS_MAX);
    roster.members = calloc(TEAMS_MAX, sizeof *roster.members);
    status = roster.members != NULL ? columns_find(&roster, person, team)
                                    : cli_fail(cli, EX_OSERR, "no memory for teams");
    status = status == EX_OK ? rows_take(&roster) : status;
    status = status == EX_OK ? roster_print(&roster, text) : status;
    for (size_t i = 0; i < TEAMS_MAX && roster.members != NULL; i++) {
        free(roster.members[i]);
    }
    free(roster.members);
    text_count_fini(&roster.persons);
    text_count_fini(&roster.teams);
    csv_close(roster.file);
    return status;
}

int measure_teams_told(const struct cli *cli, char **text)
{
    const char *told = cli_text_named(cli, "teams");
    const char *equal = told == NULL ? NULL : strrchr(told, '=');
    *text = NULL;
    if (told == NULL) {
        return EX_OK;
    }
    char *copy = strdup(told);
    if (copy == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory for teams");
    }
    char *colon = NULL;
    if (equal != NULL && equal[1] != '\0') {
        copy[equal - told] = '\0';
        colon = strrchr(copy, ':');
    }
    if (colon == NULL || colon == copy || colon[1] == '\0') {
        copy[equal != NULL ? equal - told : (ptrdiff_t)strlen(told)] = equal != NULL ? '=' : '\0';
        *text = copy; /* as it is */
        return EX_OK;
    }
    *colon = '\0';
    int status = file_read(cli, copy, colon + 1, copy + (equal - told) + 1, text);
    free(copy);
    return status;
}
