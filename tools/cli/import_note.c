/* SPDX-License-Identifier: Apache-2.0 */
/* The first few notes of each kind are shown, all go to the file of rejects, and the end counts
 * what was not shown. */
#include "tools/cli/import_note.h"

#include <stdlib.h>

#define SHARED_HOSTS_MAX 10000
#define SHARED_HOSTS_SHOWN 5

int notes_begin(struct import_notes *notes, const struct cli *cli, const char *file,
                const char *rejects)
{
    *notes = (struct import_notes){.cli = cli, .file = file};
    text_count_init(&notes->shared, SHARED_HOSTS_MAX);
    if (rejects == NULL) {
        return EX_OK;
    }
    int status = cli_file_begin(cli, rejects, &notes->rejects);
    if (status == EX_OK) {
        fputs("line,column,field,message,effect\n", notes->rejects.file);
    }
    return status;
}

static void note_write(struct import_notes *notes, struct note_place place, const char *message,
                       const char *effect)
{
    FILE *out = notes->rejects.file;
    if (out == NULL) {
        return;
    }
    fprintf(out, "%zu,", place.line);
    if (place.column > 0) {
        fprintf(out, "%zu", place.column);
    }
    fputc(',', out);
    out_csv_cell(out, proto_span_text(place.field), ',', false);
    fputc(',', out);
    out_csv_cell(out, proto_span_text(message), ',', false);
    fprintf(out, ",%s\n", effect);
}

static void note_show(const struct import_notes *notes, struct note_place place,
                      const char *message)
{
    char column[32] = "";
    if (place.column > 0) {
        snprintf(column, sizeof column, ", column %zu", place.column);
    }
    cli_say(notes->cli, "%s, line %zu%s%s%s: %s", notes->file, place.line, column,
            place.field[0] != '\0' ? ", " : "", place.field, message);
}

void notes_refuse(struct import_notes *notes, struct note_place place, const char *message)
{
    if (notes->refused++ < NOTES_SHOWN) {
        note_show(notes, place, message);
    }
    note_write(notes, place, message, "row refused");
}

void notes_cell(struct import_notes *notes, struct note_place place, const char *message)
{
    if (notes->cells_left_out++ < NOTES_SHOWN) {
        note_show(notes, place, message);
    }
    note_write(notes, place, message, "value left out");
}

void notes_key(struct import_notes *notes, struct note_place place, const char *message)
{
    if (notes->keys_left_out++ < NOTES_SHOWN) {
        note_show(notes, place, message);
    }
    note_write(notes, place, message, "key left out");
}

void notes_shared(struct import_notes *notes, struct note_place place, const char *host,
                  const char *what)
{
    char message[320];
    snprintf(message, sizeof message, "%s is %s", host, what);
    if (!text_count_add(&notes->shared, proto_span_text(host), place.line, NULL)) {
        notes->failed = true;
    }
    note_write(notes, place, message, "key left out");
}

static int by_count(const void *a, const void *b)
{
    const struct text_entry *x = a;
    const struct text_entry *y = b;
    if (x->count != y->count) {
        return x->count < y->count ? 1 : -1;
    }
    return proto_span_compare(x->text, y->text);
}

static void shared_tell(struct import_notes *notes)
{
    size_t total = notes->shared.overflow;
    for (size_t i = 0; i < notes->shared.count; i++) {
        total += notes->shared.entries[i].count;
    }
    if (total == 0) {
        return;
    }
    /* The places of the table are not used any more, so its entries may be sorted. */
    qsort(notes->shared.entries, notes->shared.count, sizeof *notes->shared.entries, by_count);
    char hosts[512] = "";
    size_t used = 0;
    for (size_t i = 0; i < notes->shared.count && i < SHARED_HOSTS_SHOWN; i++) {
        const struct text_entry *entry = &notes->shared.entries[i];
        int bytes = snprintf(hosts + used, sizeof hosts - used, "%s%.*s (%zu, first on line %zu)",
                             i > 0 ? ", " : "", (int)entry->text.bytes,
                             (const char *)entry->text.data, entry->count, entry->line);
        used += bytes > 0 && (size_t)bytes < sizeof hosts - used ? (size_t)bytes : 0;
    }
    cli_say(notes->cli,
            "%zu cells name a host that many organisations share, no key is made of them: %s%s",
            total, hosts, notes->shared.count > SHARED_HOSTS_SHOWN ? ", …" : "");
}

int notes_end(struct import_notes *notes)
{
    const char *where = notes->rejects.file != NULL ? "" : "; --rejects FILE lists all";
    if (notes->refused > NOTES_SHOWN) {
        cli_say(notes->cli, "… and %zu more rows refused%s", notes->refused - NOTES_SHOWN, where);
    }
    if (notes->cells_left_out > NOTES_SHOWN) {
        cli_say(notes->cli, "… and %zu more values left out%s", notes->cells_left_out - NOTES_SHOWN,
                where);
    }
    if (notes->keys_left_out > NOTES_SHOWN) {
        cli_say(notes->cli, "… and %zu more keys left out%s", notes->keys_left_out - NOTES_SHOWN,
                where);
    }
    shared_tell(notes);
    text_count_fini(&notes->shared);
    return notes->rejects.file != NULL ? cli_file_commit(notes->cli, &notes->rejects) : EX_OK;
}

void notes_abandon(struct import_notes *notes)
{
    text_count_fini(&notes->shared);
    out_file_abandon(&notes->rejects);
}
