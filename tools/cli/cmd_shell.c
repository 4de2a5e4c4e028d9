/* SPDX-License-Identifier: Apache-2.0 */
/* icp shell: one command after another, with a history, and what may stand there at the tab key. A
 * line is a command line of icp without its first word; each opens its own connection, so that a
 * server that was restarted is found again. From a pipe lines are read as they come. */
#include <histedit.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/cli/cmd.h"
#include "tools/cli/remote_schema.h"
#include "tools/cli/shell_complete.h"
#include "tools/cli/shell_words.h"

#define HISTORY_LINES 1000
#define VALUES_ASKED 500

struct shell {
    const struct cli *cli;
    struct feature_schema *schema; /* as it was when first asked for */
    bool asked;
    EditLine *editor;
    History *history;
    HistEvent event;
};

/* A connection that says nothing when there is no server: the tab key is no place for it. */
static struct icp_client *quiet_connect(const struct cli *cli)
{
    struct icp_fault fault;
    struct icp_options options = cli_client_options(cli);
    options.connect_timeout_ms = 500;
    options.call_timeout_ms = 2000;
    return icp_connect(cli->uri, &options, &fault);
}

static void schema_ask(struct shell *shell)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct icp_reply reply = {0};
    struct icp_client *client = shell->asked ? NULL : quiet_connect(shell->cli);
    shell->asked = true;
    if (client != NULL && icp_call(client, ICP_OP_SCHEMA_GET, NULL, &reply)) {
        struct icp_text text = icp_reply_text(&reply, "document");
        shell->schema = feature_schema_parse(
            (struct proto_span){(const uint8_t *)text.data, text.bytes}, 0, NULL, &fault);
    }
    icp_reply_fini(&reply);
    icp_close(client);
}

static void fields_give(void *context, void (*add)(void *to, const char *text), void *to)
{
    struct shell *shell = context;
    schema_ask(shell);
    for (size_t i = 0; shell->schema != NULL && i < shell->schema->field_count; i++) {
        add(to, shell->schema->fields[i].name);
    }
}

static void value_give(const struct icp_value *value, void (*add)(void *to, const char *text),
                       void *to)
{
    char text[256];
    struct icp_value tag;
    if (value->kind == ICP_KIND_TEXT && value->text.bytes < sizeof text) {
        snprintf(text, sizeof text, "%.*s", (int)value->text.bytes, value->text.data);
        add(to, text);
    } else if (value->kind == ICP_KIND_LIST) {
        struct icp_walk walk = icp_walk_over(value);
        while (icp_next(&walk, NULL, &tag)) {
            value_give(&tag, add, to);
        }
    }
}

static void values_give(void *context, const char *field, const char *begin,
                        void (*add)(void *to, const char *text), void *to)
{
    struct shell *shell = context;
    struct icp_client *client = quiet_connect(shell->cli);
    struct icp_payload *payload = icp_payload_create();
    struct icp_reply reply = {0};
    struct icp_value maps;
    struct icp_value map;
    struct icp_value value;
    char expression[512];
    bool plain = begin[0] != '\0' && strchr(begin, '\'') == NULL;
    snprintf(expression, sizeof expression, plain ? "`%s` starts with '%s'" : "`%s` is not missing",
             field, begin);
    if (client != NULL && payload != NULL) {
        icp_payload_text(payload, "filter", expression);
        icp_payload_uint(payload, "limit", VALUES_ASKED);
        icp_payload_list_begin(payload, "fields");
        icp_payload_text(payload, NULL, field);
        icp_payload_list_end(payload);
    }
    if (client != NULL && payload != NULL && icp_call(client, ICP_OP_FILTER, payload, &reply) &&
        icp_reply_get(&reply, "values", &maps)) {
        struct icp_walk walk = icp_walk_over(&maps);
        while (icp_next(&walk, NULL, &map)) {
            if (icp_value_get(&map, field, &value)) {
                value_give(&value, add, to);
            }
        }
    }
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
    icp_close(client);
}

/* Puts in what all candidates share, or shows them. */
static unsigned char on_tab(EditLine *editor, int key)
{
    struct shell *shell = NULL;
    (void)key;
    el_get(editor, EL_CLIENTDATA, &shell);
    const LineInfo *info = el_line(editor);
    char *line = strndup(info->buffer, (size_t)(info->cursor - info->buffer));
    struct shell_source source = {shell, fields_give, values_give};
    struct shell_candidates candidates;
    if (line == NULL) {
        return CC_ERROR;
    }
    shell_complete(line, &source, &candidates);
    size_t typed = strlen(line) - candidates.from;
    size_t common = shell_candidates_common(&candidates);
    unsigned char result = CC_ERROR;
    if (candidates.count > 0 && (common > typed || candidates.count == 1)) {
        char text[512];
        bool whole = candidates.count == 1;
        bool quoted = candidates.from > 0 && line[candidates.from - 1] == '\'';
        snprintf(text, sizeof text, "%.*s%s", (int)common, candidates.texts[0],
                 !whole   ? ""
                 : quoted ? "' "
                          : " ");
        el_deletestr(editor, (int)typed);
        result = el_insertstr(editor, text) == 0 ? CC_REFRESH : CC_ERROR;
    } else if (candidates.count > 1) {
        printf("\n");
        for (size_t i = 0; i < candidates.count; i++) {
            out_print(&shell->cli->style.sink, "%s  ", candidates.texts[i]);
        }
        printf("\n");
        result = CC_REDISPLAY;
    }
    shell_candidates_fini(&candidates);
    free(line);
    return result;
}

static char prompt_text[] = "icp> ";

static char *prompt(EditLine *editor)
{
    (void)editor;
    return prompt_text;
}

/* False: the end was asked for. */
static bool line_run(const struct shell *shell, const char *line)
{
    struct shell_words words;
    struct proto_fault fault = {.code = PROTO_OK};
    if (!shell_words_split(line, &words, &fault)) {
        (void)cli_fault(shell->cli, &fault);
        return true;
    }
    const char *first = words.count > 0 ? words.words[0] : "";
    bool ends =
        strcmp(first, "quit") == 0 || strcmp(first, "exit") == 0 || strcmp(first, "\\q") == 0;
    if (first[0] != '\0' && first[0] != '#' && !ends) {
        char program[] = "icp";
        char *arguments[SHELL_WORDS_MAX + 2] = {program};
        /* "icp filter …" is what somebody would copy here. */
        int skip = strcmp(first, "icp") == 0 && words.count > 1;
        for (int i = skip; i < words.count; i++) {
            arguments[i + 1 - skip] = words.words[i];
        }
        (void)shell->cli->run(words.count + 1 - skip, arguments);
        fflush(stdout);
    }
    shell_words_fini(&words);
    return !ends;
}

static void lines_run(const struct shell *shell)
{
    char *line = NULL;
    size_t room = 0;
    bool more = true;
    while (more && getline(&line, &room, stdin) > 0) {
        line[strcspn(line, "\r\n")] = '\0';
        more = line_run(shell, line);
    }
    free(line);
}

static void history_path(char *path, size_t bytes)
{
    const char *own = getenv("ICP_HISTORY");
    const char *home = getenv("HOME");
    if (own != NULL) {
        snprintf(path, bytes, "%s", own);
    } else {
        snprintf(path, bytes, "%s%s", home != NULL ? home : "",
                 home != NULL ? "/.icp_history" : "");
    }
}

static void edit(struct shell *shell)
{
    char path[4096];
    int bytes = 0;
    bool more = true;
    const char *line;
    history_path(path, sizeof path);
    history(shell->history, &shell->event, H_SETSIZE, HISTORY_LINES);
    history(shell->history, &shell->event, H_SETUNIQUE, 1);
    if (path[0] != '\0') {
        history(shell->history, &shell->event, H_LOAD, path);
    }
    el_set(shell->editor, EL_PROMPT, prompt);
    el_set(shell->editor, EL_EDITOR, "emacs");
    el_set(shell->editor, EL_SIGNAL, 1);
    el_set(shell->editor, EL_HIST, history, shell->history);
    el_set(shell->editor, EL_CLIENTDATA, shell);
    el_set(shell->editor, EL_ADDFN, "icp-complete", "what may stand here", on_tab);
    el_set(shell->editor, EL_BIND, "^I", "icp-complete", NULL);
    out_print(&shell->cli->style.sink,
              "icp %s at %s. The tab key completes, 'help' lists the commands, 'quit' ends.\n",
              icp_version(), shell->cli->uri);
    while (more && (line = el_gets(shell->editor, &bytes)) != NULL && bytes > 0) {
        char *copy = strndup(line, strcspn(line, "\r\n"));
        if (copy == NULL) {
            break;
        }
        if (copy[strspn(copy, " ")] != '\0') {
            history(shell->history, &shell->event, H_ENTER, copy);
        }
        more = line_run(shell, copy);
        free(copy);
    }
    if (path[0] != '\0') {
        /* Nobody else's business: expressions name customers. */
        mode_t mask = umask(077);
        history(shell->history, &shell->event, H_SAVE, path);
        umask(mask);
    }
}

static void variable_set(const char *name, const char *value)
{
    if (value != NULL) {
        setenv(name, value, 1);
    }
}

int cmd_shell(struct cli *cli)
{
    struct shell shell = {.cli = cli};
    if (!cli_arguments(cli, 0, 0)) {
        return EX_USAGE;
    }
    /* The commands of the shell ask the same server with the same token and files. */
    const struct icp_options options = cli_client_options(cli);
    variable_set("ICP_TLS_CA", options.tls_ca);
    variable_set("ICP_TLS_CERTIFICATE", options.tls_certificate);
    variable_set("ICP_TLS_KEY", options.tls_key);
    setenv("ICP_URI", cli->uri, 1);
    if (cli->token[0] != '\0') {
        setenv("ICP_TOKEN", cli->token, 1);
    }
    if (!isatty(STDIN_FILENO)) {
        lines_run(&shell);
        return EX_OK;
    }
    shell.editor = el_init("icp", stdin, stdout, stderr);
    shell.history = history_init();
    int status = shell.editor != NULL && shell.history != NULL
                     ? EX_OK
                     : cli_fail(cli, EX_OSERR, "the terminal cannot be used for editing");
    if (status == EX_OK) {
        edit(&shell);
    }
    if (shell.history != NULL) {
        history_end(shell.history);
    }
    if (shell.editor != NULL) {
        el_end(shell.editor);
    }
    feature_schema_release(shell.schema);
    return status;
}
