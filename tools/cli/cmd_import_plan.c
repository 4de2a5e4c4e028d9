/* SPDX-License-Identifier: Apache-2.0 */
/* icp import --plan: each step is a command line of icp, run from the plan's folder. A step whose
 * import the server has whole and without a refused row is passed over, so that a plan that was cut
 * off goes on where it was, and one that is run again does what is new. A step of which rows were
 * refused does not stop the others; any other failure does. */
#include "tools/cli/cmd_import_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/cli/csv/csv_input.h"
#include "tools/cli/import_mark.h"
#include "tools/cli/import_plan.h"
#include "tools/cli/import_undone.h"
#include "tools/cli/member.h"

struct plan_run {
    const struct cli *cli;
    struct import_plan plan;
    struct icp_client *client;
    struct icp_reply imports; /* that the server knows */
    bool dry;
    size_t stored, before, refused;
};

/* The import of a step as it was before this run. False: there was none. */
static bool import_before(const struct plan_run *run, const struct import_plan_step *step,
                          struct icp_value *import)
{
    struct icp_value list = {0};
    (void)icp_reply_get(&run->imports, "imports", &list);
    struct icp_walk walk = icp_walk_over(&list);
    while (icp_next(&walk, NULL, import)) {
        if (member_text_is(member_text(import, "id"), step->id)) {
            return true;
        }
    }
    return false;
}

/* Whether the server has all of it. */
static bool is_stored(const struct icp_value *import)
{
    return member_text_is(member_text(import, "state"), "done") &&
           member_text(import, "note").bytes == 0;
}

static int imports_ask(struct plan_run *run)
{
    struct icp_payload *payload = icp_payload_create();
    if (payload == NULL) {
        return cli_fail(run->cli, EX_OSERR, "no memory");
    }
    icp_payload_uint(payload, "limit", PROTO_IMPORTS_MAX);
    int status = cli_call(run->cli, run->client, ICP_OP_IMPORT_LIST, payload, &run->imports);
    icp_payload_destroy(payload);
    return status;
}

/* The command line of a step. */
static int step_command(const struct plan_run *run, const struct import_plan_step *step)
{
    char program[] = "icp";
    char uri[] = "--uri";
    char dry[] = "--dry-run";
    char json[] = "--json";
    char import_id[] = "--import-id";
    char **words = calloc(step->count + 8, sizeof *words);
    int count = 0;
    if (words == NULL) {
        return cli_fail(run->cli, EX_OSERR, "no memory");
    }
    words[count++] = program;
    for (size_t i = 0; i < step->count; i++) {
        words[count++] = step->words[i];
    }
    words[count++] = uri;
    words[count++] = (char *)(uintptr_t)run->cli->uri;
    if (step->kind != IMPORT_PLAN_SCHEMA) {
        if (run->dry) {
            words[count++] = dry;
        } else {
            words[count++] = import_id;
            words[count++] = (char *)(uintptr_t)step->id;
        }
        if (run->cli->style.form == OUT_JSON) {
            words[count++] = json;
        }
    }
    int status = run->cli->run(count, words);
    free(words);
    return status;
}

/* A schema has no import of its own that would note it. */
static int schema_run(struct plan_run *run, const struct import_plan_step *step)
{
    struct import_mark mark;
    int status = import_mark_begin(run->cli, run->client, step->id, step->file, "schema", &mark);
    if (status == EX_OK) {
        status = step_command(run, step);
    }
    return status == EX_OK ? import_mark_end(run->cli, run->client, &mark, 0) : status;
}

static int step_run(struct plan_run *run, const struct import_plan_step *step)
{
    const char *kind = import_plan_kind_name(step->kind);
    struct icp_value import;
    bool known = !run->dry && import_before(run, step, &import);
    if (known && is_stored(&import)) {
        cli_say(run->cli, "%s (%s): stored before, passed over", step->file, kind);
        run->before++;
        return EX_OK;
    }
    cli_say(run->cli, "%s (%s)", step->file, kind);
    if (known) {
        (void)import_undone_tell(run->cli, &import);
    }
    if (step->kind == IMPORT_PLAN_SCHEMA && run->dry) {
        return EX_OK;
    }
    int status = step->kind == IMPORT_PLAN_SCHEMA ? schema_run(run, step) : step_command(run, step);
    run->stored += status == EX_OK;
    if (status == EX_DATAERR && step->kind != IMPORT_PLAN_SCHEMA) {
        run->refused++;
        return EX_OK;
    }
    return status;
}

static int steps_run(struct plan_run *run)
{
    const struct cli *cli = run->cli;
    const char *path = "";
    int status = EX_OK;
    if (!import_plan_ids(&run->plan, &path)) {
        return cli_fail(cli, EX_NOINPUT, "cannot read %s: %s", path, strerror(errno));
    }
    run->client = cli_connect(cli, &status);
    if (run->client == NULL) {
        return status;
    }
    status = imports_ask(run);
    for (size_t i = 0; i < run->plan.count && status == EX_OK; i++) {
        status = step_run(run, &run->plan.steps[i]);
    }
    if (status != EX_OK) {
        return cli_fail(cli, status,
                        "the plan broke off; once that is mended it goes on where it "
                        "was when it is run again");
    }
    cli_say(cli, "%zu steps: %zu %s, %zu stored before, %zu with refused rows or values",
            run->plan.count, run->stored, run->dry ? "good (dry run, nothing stored)" : "stored",
            run->before, run->refused);
    return run->refused > 0 ? EX_DATAERR : EX_OK;
}

/* Paths that the steps' commands will use are those of here. */
static void path_keep(const char *name, const char *path)
{
    char whole[PATH_MAX];
    if (path != NULL) {
        setenv(name, realpath(path, whole) != NULL ? whole : path, 1);
    }
}

static void connection_keep(const struct cli *cli)
{
    const struct icp_options options = cli_client_options(cli);
    path_keep("ICP_TLS_CA", options.tls_ca);
    path_keep("ICP_TLS_CERTIFICATE", options.tls_certificate);
    path_keep("ICP_TLS_KEY", options.tls_key);
    if (cli->token[0] != '\0') {
        setenv("ICP_TOKEN", cli->token, 1);
    }
}

/* From the plan's folder, and back. */
static int folder_run(struct plan_run *run, const char *path)
{
    char folder[PATH_MAX];
    int back = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    (void)snprintf(folder, sizeof folder, "%s", path);
    if (back < 0 || chdir(dirname(folder)) != 0) {
        int why = errno;
        if (back >= 0) {
            close(back);
        }
        return cli_fail(run->cli, EX_NOINPUT, "cannot go to the folder of %s: %s", path,
                        strerror(why));
    }
    int status = steps_run(run);
    bool returned = fchdir(back) == 0;
    close(back);
    return returned ? status : cli_fail(run->cli, EX_OSERR, "cannot go back: %s", strerror(errno));
}

int import_plan_run(const struct cli *cli)
{
    const char *path = cli_text(cli, CLI_IMPORT_PLAN);
    struct plan_run run = {.cli = cli, .dry = cli_has(cli, CLI_IMPORT_DRY_RUN)};
    struct proto_fault fault = {.code = PROTO_OK};
    size_t bytes = 0;
    uint8_t *text = csv_file_read(path, IMPORT_PLAN_BYTES_MAX, &bytes, &fault);
    if (text == NULL) {
        return cli_file_fault(cli, &fault);
    }
    int status = EX_OK;
    if (!import_plan_read(&run.plan, (struct proto_span){text, bytes}, &fault)) {
        status = cli_fail(cli, fault.code == PROTO_NO_MEMORY ? EX_OSERR : EX_DATAERR,
                          "%s: %s%s%s%s", path, fault.message, fault.field[0] != '\0' ? " (" : "",
                          fault.field, fault.field[0] != '\0' ? ")" : "");
    } else {
        connection_keep(cli);
        status = folder_run(&run, path);
    }
    icp_reply_fini(&run.imports);
    icp_close(run.client);
    import_plan_close(&run.plan);
    free(text);
    return status;
}
