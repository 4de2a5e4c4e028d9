/* SPDX-License-Identifier: Apache-2.0 */
/* A line of JSON for each thing that is given up, and a line for people. Text from the store is
 * written as JSON has it; bytes that are not UTF-8 as their code points below 256, so that a line
 * is always one. */
#include <inttypes.h>

#include "server/store/repair_parts.h"

enum { IDS_TOLD = 100 };

static void text_write(FILE *file, const char *data, size_t bytes)
{
    fputc('"', file);
    for (size_t i = 0; i < bytes; i++) {
        unsigned char byte = (unsigned char)data[i];
        if (byte == '"' || byte == '\\') {
            fprintf(file, "\\%c", byte);
        } else if (byte < 0x20 || byte >= 0x7f) {
            fprintf(file, "\\u%04x", byte);
        } else {
            fputc(byte, file);
        }
    }
    fputc('"', file);
}

static void line_tell(const struct repair *repair, const char *text)
{
    if (repair->options->on_line != NULL) {
        repair->options->on_line(repair->options->line_context, text);
    }
}

void store_repair_reject(struct repair *repair, const char *what, uint64_t number,
                         struct proto_span id, const char *why)
{
    char text[1024];
    snprintf(text, sizeof text, "%s %" PRIu64 "%s%.*s: %s", what, number,
             id.bytes > 0 ? ", perhaps " : "", (int)id.bytes,
             id.bytes > 0 ? (const char *)id.data : "", why);
    line_tell(repair, text);
    if (repair->rejects == NULL) {
        return;
    }
    fprintf(repair->rejects, "{\"what\":\"%s\",\"number\":%" PRIu64 ",\"id\":", what, number);
    if (id.bytes > 0) {
        text_write(repair->rejects, (const char *)id.data, id.bytes);
    } else {
        fputs("null", repair->rejects);
    }
    fputs(",\"why\":", repair->rejects);
    text_write(repair->rejects, why, strlen(why));
    fputs("}\n", repair->rejects);
}

/* The id that a command is about. */
static struct proto_span command_id(const struct store_command *command)
{
    struct feature_record record;
    struct proto_fault ignored;
    if (command->kind == STORE_COMMAND_DELETE ||
        (command->kind == STORE_COMMAND_EVENT && command->version == 0)) {
        return command->text;
    }
    bool account = command->kind == STORE_COMMAND_PUT || command->kind == STORE_COMMAND_PATCH ||
                   command->kind == STORE_COMMAND_UNDO;
    return account && feature_record_open(command->text, false, &record, &ignored)
               ? record.id
               : (struct proto_span){NULL, 0};
}

void store_repair_reject_batch(struct repair *repair, const struct log_entry *entry,
                               const char *why)
{
    char text[512];
    struct store_command command;
    struct proto_fault ignored;
    unsigned told = 0;
    snprintf(text, sizeof text, "batch %" PRIu64 " of %u commands: %s", entry->sequence,
             entry->commands, why);
    line_tell(repair, text);
    if (repair->rejects == NULL) {
        return;
    }
    fprintf(repair->rejects,
            "{\"what\":\"batch\",\"number\":%" PRIu64 ",\"time_ms\":%" PRId64
            ",\"commands\":%u,\"ids\":[",
            entry->sequence, entry->time_ms, entry->commands);
    for (size_t at = 0;
         told < IDS_TOLD && store_command_next(entry->payload, &at, &command, &ignored);) {
        struct proto_span id = command_id(&command);
        if (id.bytes > 0) {
            fputs(told++ > 0 ? "," : "", repair->rejects);
            text_write(repair->rejects, (const char *)id.data, id.bytes);
        }
    }
    fputs("],\"why\":", repair->rejects);
    text_write(repair->rejects, why, strlen(why));
    fputs("}\n", repair->rejects);
}
