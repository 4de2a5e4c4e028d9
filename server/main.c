/* SPDX-License-Identifier: Apache-2.0 */
/* icpd: reads its configuration, joins engine, rpc and net, and waits for signals.
 *
 * SIGTERM and SIGINT drain (a second one cuts the wait short), SIGHUP reads the configuration anew
 * and reopens the log. Exit codes follow sysexits.h: 0; 64 usage; 65 a scrub found faults, or a
 * backup or a store to compact is damaged; 66 no store to scrub or compact, or no backup; 69
 * another process has the store, the port or the socket, so a later start may succeed; 70 a fault
 * of ours; 71 no memory or no thread; 73 the store; 74 a running server gave up because its store
 * can only be read again by a new start; 78 configuration. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "server/auth/token_file.h"
#include "server/encrypt.h"
#include "server/manual.h"
#include "server/node.h"
#include "server/notify.h"
#include "server/options.h"
#include "server/serve.h"
#include "server/upkeep.h"

extern char **environ;

static int config_fail(const struct proto_fault *fault)
{
    fprintf(stderr, "icpd: %s%s%s\n", fault->field, fault->field[0] ? ": " : "", fault->message);
    return fault->code == PROTO_NO_MEMORY ? EX_OSERR : EX_CONFIG;
}

static bool config_load(struct server_options *options, struct proto_fault *fault)
{
    return (!options->config_path ||
            base_config_load_file(&options->config, options->config_path, fault)) &&
           base_config_load_env(&options->config, environ, fault) &&
           base_config_resolve(&options->config, fault);
}

static void tell_change(void *context, const struct base_option_info *option)
{
    struct base_log *log = context;
    if (option->apply == BASE_APPLY_RELOAD) {
        base_log(log, BASE_LOG_INFO, "main", "option changed",
                 BASE_FIELDS(base_field_text("option", option->name)));
    } else {
        base_log(log, BASE_LOG_WARN, "main", "option changed, takes effect at the next start",
                 BASE_FIELDS(base_field_text("option", option->name)));
    }
}

static void map_bytes_take(struct server *server, uint64_t bytes, struct base_log *log)
{
    size_t now = server_map_bytes_set(server, bytes);
    if (now < bytes) {
        base_log(log, BASE_LOG_WARN, "main", "map_bytes is taken over as far as addresses reach",
                 BASE_FIELDS(base_field_uint("bytes", now)));
    }
}

static void tls_take(struct server *server, const struct base_config *config, struct base_log *log)
{
    struct proto_fault fault = {0};
    if (!server_tls_reload(server, config, &fault)) {
        base_log(log, BASE_LOG_ERROR, "main", "TLS goes on with the certificate that it has",
                 BASE_FIELDS(base_field_text("option", fault.field),
                             base_field_text("reason", fault.message)));
    }
}

static void tokens_take(struct server *server, struct base_log *log)
{
    struct proto_fault fault = {0};
    if (!server_tokens_reload(server, &fault)) {
        base_log(log, BASE_LOG_ERROR, "main", "the tokens stay as they were",
                 BASE_FIELDS(base_field_text("option", fault.field),
                             base_field_text("reason", fault.message)));
    }
}

static void reload(struct server_options *options, struct base_log *log)
{
    struct proto_fault fault = {0};
    enum base_log_level level;
    if (!base_log_reopen(log, &fault)) {
        base_log(log, BASE_LOG_ERROR, "main", "the log file cannot be opened anew",
                 BASE_FIELDS(base_field_text("reason", fault.message)));
    }
    if (!base_config_reload(&options->config, options->config_path, tell_change, log, &fault)) {
        base_log(log, BASE_LOG_ERROR, "main", "configuration not taken over",
                 BASE_FIELDS(base_field_text("option", fault.field),
                             base_field_text("reason", fault.message)));
        return;
    }
    if (base_log_level_find(options->config.log_level, &level)) {
        base_log_level_set(log, level);
    }
    base_log(log, BASE_LOG_INFO, "main", "configuration read anew", BASE_NO_FIELDS);
}

/* Blocks what the signal loop waits for, before any thread starts, so that every thread inherits
 * it. */
static sigset_t signals_block(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    /* libuv writes without MSG_NOSIGNAL: a peer that went away must not end the server. */
    signal(SIGPIPE, SIG_IGN);
    /* A limit on file sizes is a disk that is full (EFBIG), and no reason to end. */
    signal(SIGXFSZ, SIG_IGN);
    return set;
}

static void wait_for_end(struct server_options *options, struct base_log *log,
                         struct server *server, const sigset_t *signals)
{
    for (;;) {
        int number = 0;
        if (sigwait(signals, &number) != 0) {
            continue;
        }
        if (number != SIGHUP) {
            break;
        }
        server_notify_reloading();
        reload(options, log);
        server_slow_set(server, options->config.slowlog_us);
        map_bytes_take(server, options->config.map_bytes, log);
        tls_take(server, &options->config, log);
        tokens_take(server, log);
        server_notify("READY=1");
    }
    server_notify("STOPPING=1");
    base_log(log, BASE_LOG_INFO, "main", "draining",
             BASE_FIELDS(base_field_uint("drain_ms", options->config.drain_ms)));
    server_drain(server, (unsigned)options->config.drain_ms);
    /* From here on a second SIGTERM or SIGINT ends the process at once, as the default action does.
     * SIGHUP stays blocked: whoever rotates logs must not cut a drain short. */
    sigset_t ending = *signals;
    sigdelset(&ending, SIGHUP);
    pthread_sigmask(SIG_UNBLOCK, &ending, NULL);
    server_join(server);
}

static struct base_log *log_open(const struct base_config *config, struct proto_fault *fault)
{
    struct base_log_options options = {.path = config->log_file};
    base_log_level_find(config->log_level, &options.level);
    base_log_format_find(config->log_format, &options.format);
    return base_log_create(&options, fault);
}

static int exit_code(enum proto_error code)
{
    switch (code) {
    case PROTO_BAD_CONFIG:
        return EX_CONFIG;
    case PROTO_LOCKED:
        return EX_UNAVAILABLE;
    case PROTO_NO_MEMORY:
        return EX_OSERR;
    case PROTO_INTERNAL:
        return EX_SOFTWARE;
    default:
        return EX_CANTCREAT;
    }
}

static int serve(struct server_options *options)
{
    struct proto_fault fault = {0};
    sigset_t signals = signals_block();
    struct base_log *log = log_open(&options->config, &fault);
    if (!log) {
        return config_fail(&fault);
    }
    struct server *server = server_create(&options->config, log, &fault);
    if (!server) {
        base_log(log, BASE_LOG_ERROR, "main", "cannot start",
                 BASE_FIELDS(base_field_error(fault.code), base_field_text("at", fault.field),
                             base_field_text("reason", fault.message)));
        base_log_destroy(log);
        return exit_code(fault.code);
    }
    server_notify("READY=1");
    wait_for_end(options, log, server, &signals);
    server_destroy(server);
    base_log(log, BASE_LOG_INFO, "main", "stopped", BASE_NO_FIELDS);
    base_log_destroy(log);
    return EX_OK;
}

/* What the configuration says, and whether the files of TLS and of tokens that it names can be
 * used.
 */
static int test(const struct base_config *config)
{
    struct proto_fault fault = {0};
    struct tls_context *tls;
    if (!server_encrypt(config, &tls, &fault) || !node_check(config, &fault)) {
        return config_fail(&fault);
    }
    tls_context_drop(tls);
    struct auth_list tokens = {0};
    if (config->tokens_file[0] != '\0' && !auth_list_read(config->tokens_file, &tokens, &fault)) {
        return config_fail(&fault);
    }
    auth_list_fini(&tokens);
    printf("configuration is valid\n");
    return EX_OK;
}

int main(int argc, char **argv)
{
    struct server_options options;
    struct proto_fault fault = {0};
    if (!server_options_parse(&options, argc, argv, &fault) || !config_load(&options, &fault)) {
        int code = config_fail(&fault);
        server_options_fini(&options);
        return code;
    }
    int code = EX_OK;
    switch (options.mode) {
    case SERVER_TEST:
        code = test(&options.config);
        break;
    case SERVER_PRINT:
        base_config_print(&options.config, stdout);
        break;
    case SERVER_SAMPLE:
        base_config_sample(stdout);
        break;
    case SERVER_MAN:
        server_manual_print(stdout);
        break;
    case SERVER_SCRUB:
        code = upkeep_scrub(&options.config);
        break;
    case SERVER_REPAIR:
        code = upkeep_repair(&options.config, options.yes);
        break;
    case SERVER_COMPACT:
        code = upkeep_compact(&options.config);
        break;
    case SERVER_FOUND:
        code = node_found(&options.config);
        break;
    case SERVER_RESTORE:
        code = upkeep_restore(&options.config, options.backups, options.until);
        break;
    case SERVER_VERIFY:
        code = upkeep_verify(options.backups);
        break;
    case SERVER_SERVE:
        code = serve(&options);
        break;
    }
    server_options_fini(&options);
    return code;
}
