/* SPDX-License-Identifier: Apache-2.0 */
/* Takes each batch of the log apart into what it did, to whom first, and who asked for it. A batch
 * that is no run of commands ends the reading as damage: an audit that skips is none. */
#include "server/engine/audit.h"

#include "server/engine/engine_create.h"
#include "server/store/command.h"
#include "server/store/dump.h"

static const char *const deed_names[] = {
#define X(NAME, words) words,
    ENGINE_AUDIT_DEEDS(X)
#undef X
};

const char *engine_deed_name(enum engine_deed deed)
{
    return deed_names[deed];
}

struct reading {
    struct proto_span id;
    bool (*each)(void *context, const struct engine_audit *entry);
    void *context;
    struct proto_fault *fault;
    bool failed;
};

/* The id of the account that a command changes; empty if it changes none. */
static struct proto_span account_of(const struct store_command *command)
{
    struct feature_record record;
    struct proto_fault ignored = {0};
    if (command->kind == STORE_COMMAND_DELETE ||
        (command->kind == STORE_COMMAND_EVENT && command->version == 0)) {
        return command->text;
    }
    bool has_record = command->kind == STORE_COMMAND_PUT || command->kind == STORE_COMMAND_PATCH ||
                      command->kind == STORE_COMMAND_PLACE || command->kind == STORE_COMMAND_UNDO;
    if (has_record && feature_record_open(command->text, false, &record, &ignored)) {
        return record.id;
    }
    return (struct proto_span){0};
}

static void command_take(const struct reading *reading, const struct store_command *command,
                         struct engine_audit *entry, bool *concerned)
{
    if (command->kind == STORE_COMMAND_AUTHOR) {
        entry->author = command->text;
        return;
    }
    if (command->kind == STORE_COMMAND_OPERATION) {
        entry->operation = command->text;
        return;
    }
    if (command->kind == STORE_COMMAND_SLOTS || command->kind == STORE_COMMAND_TIME ||
        command->kind == STORE_COMMAND_IMPORT || command->kind == STORE_COMMAND_POSITION) {
        return;
    }
    struct proto_span account = account_of(command);
    struct identity_entry entry_said;
    bool said = command->kind == STORE_COMMAND_IDENTITY &&
                identity_entry_decode(command->text, &entry_said);
    bool list = command->kind == STORE_COMMAND_TAL || command->kind == STORE_COMMAND_LIST;
    entry->counts[list                                       ? ENGINE_DEED_TAL
                  : command->kind == STORE_COMMAND_DROP      ? ENGINE_DEED_DROP
                  : command->kind == STORE_COMMAND_PLACE     ? ENGINE_DEED_PUT
                  : command->kind == STORE_COMMAND_UNDO      ? ENGINE_DEED_UNDO
                  : command->kind == STORE_COMMAND_EVENT     ? ENGINE_DEED_EVENT
                  : command->kind == STORE_COMMAND_TERM      ? ENGINE_DEED_TERM
                  : command->kind == STORE_COMMAND_METRIC    ? ENGINE_DEED_METRIC
                  : command->kind == STORE_COMMAND_CHALLENGE ? ENGINE_DEED_CHALLENGE
                  : command->kind == STORE_COMMAND_SEGMENT   ? ENGINE_DEED_SEGMENT
                  : command->kind == STORE_COMMAND_IDENTITY
                      ? ENGINE_DEED_IDENTITY
                      : (enum engine_deed)(command->kind - 1)]++;
    if (entry->first.bytes == 0) {
        entry->first = account;
    }
    if (command->kind == STORE_COMMAND_ACTIVATE || command->kind == STORE_COMMAND_REVERT ||
        command->kind == STORE_COMMAND_DROP) {
        entry->reason = command->extra;
    }
    for (unsigned i = 0; said && i < 2; i++) {
        entry->first = entry->first.bytes == 0 ? entry_said.ids[i] : entry->first;
        entry->reason = entry_said.reason;
        *concerned |= reading->id.bytes > 0 && proto_span_equal(entry_said.ids[i], reading->id);
    }
    *concerned |= reading->id.bytes == 0 || proto_span_equal(account, reading->id);
}

static bool batch_take(void *context, const struct store_logged *logged)
{
    struct reading *reading = context;
    struct engine_audit entry = {.seq = logged->seq, .time_ms = logged->time_ms};
    struct store_command command;
    struct proto_fault fault = {.code = PROTO_OK};
    bool concerned = false;
    size_t at = 0;
    while (store_command_next(logged->text, &at, &command, &fault)) {
        command_take(reading, &command, &entry, &concerned);
    }
    if (fault.code != PROTO_OK) {
        *reading->fault = fault;
        reading->failed = true;
        return false;
    }
    return !concerned || reading->each(reading->context, &entry);
}

bool engine_audit(struct engine *engine, uint64_t after, struct proto_span id,
                  bool (*each)(void *context, const struct engine_audit *entry), void *context,
                  struct proto_fault *fault)
{
    struct reading reading = {.id = id, .each = each, .context = context, .fault = fault};
    return store_log_read(engine_store(engine), after, UINT64_MAX, batch_take, &reading, fault) &&
           !reading.failed;
}

bool engine_audit_range(struct engine *engine, uint64_t *oldest, uint64_t *newest,
                        struct proto_fault *fault)
{
    *newest = store_log_head(engine_store(engine), fault);
    *oldest = store_log_floor(engine_store(engine), fault);
    return fault->code == PROTO_OK;
}
