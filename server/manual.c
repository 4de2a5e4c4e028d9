/* SPDX-License-Identifier: Apache-2.0 */
/* The page is what `icpd --help` and docs/reference/options.md say, in the order in which a reader
 * of manuals looks for it. Nothing can fail but the stream. */
#include "server/manual.h"

#include "server/draw/draw_roff.h"
#include "server/options.h"

#define LINE_BYTES 1024

static void flags_write(FILE *out)
{
    for (const struct argp_option *flag = server_options_own(); flag->name != NULL; flag++) {
        char name[64];
        if (flag->key < 0x100) {
            snprintf(name, sizeof name, "-%c, --%s", flag->key, flag->name);
        } else {
            snprintf(name, sizeof name, "--%s", flag->name);
        }
        draw_roff_entry(out, name, flag->arg, flag->doc);
    }
}

static void options_write(FILE *out)
{
    size_t count;
    const struct base_option_info *options = base_options(&count);
    for (size_t i = 0; i < count; i++) {
        const struct base_option_info *option = &options[i];
        bool is_choice = option->type == BASE_TYPE_CHOICE;
        char meaning[LINE_BYTES];
        snprintf(meaning, sizeof meaning, "%s (%s%s; %s).", option->help,
                 option->default_text[0] != '\0' ? "default " : "no default", option->default_text,
                 option->apply == BASE_APPLY_RELOAD ? "also on SIGHUP" : "at the next start");
        draw_roff_entry(out, option->name,
                        is_choice ? option->unit : base_option_type_name(option->type), meaning);
    }
}

static void signals_write(FILE *out)
{
    draw_roff_section(out, "SIGNALS", NULL);
    draw_roff_entry(out, "SIGTERM, SIGINT", NULL,
                    "take no more connections, answer what was asked, and end");
    draw_roff_entry(out, "SIGHUP", NULL, "read the file of options anew, and open the log anew");
}

void server_manual_print(FILE *out)
{
    draw_roff_begin(out, "icpd", 8, ICP_VERSION, "in-memory scoring server for lead routing");
    draw_roff_section(out, "SYNOPSIS", NULL);
    (void)fputs(".B icpd\n[\\fB\\-c\\fR \\fIFILE\\fR] [\\fB\\-\\-\\fR\\fIoption value\\fR ...]\n",
                out);
    draw_roff_section(out, "DESCRIPTION",
                      "Holds B2B accounts and one shared, versioned ideal customer profile, and "
                      "answers within microseconds how well an account or a lead fits it, and "
                      "why. It stays in the foreground, needs one directory and no other "
                      "service, and what it has acknowledged is on disk.");
    draw_roff_section(out, "FLAGS", NULL);
    flags_write(out);
    draw_roff_section(out, "OPTIONS",
                      "A file says name = value, the environment ICPD_NAME=value (in capitals), "
                      "a flag --name value (with hyphens for underscores); the later wins. "
                      "Bytes take K, M, G and T (powers of 1024), times ms, s, m and h.");
    options_write(out);
    signals_write(out);
    draw_roff_section(out, "FILES", NULL);
    draw_roff_entry(out, "/etc/icpd/icpd.conf", NULL, "options, where the package was installed");
    draw_roff_entry(out, "/var/lib/icpd/data", NULL, "the store of that service");
    draw_roff_section(out, "EXIT STATUS",
                      "0, or one of sysexits.h: 64 the command line is wrong, 65 a store or "
                      "a backup is damaged, 66 there is none to read, 69 another server "
                      "holds the store, 70 a fault of icpd, 71 no memory, 73 it cannot "
                      "start for its address or its directory, 78 the configuration is "
                      "wrong.");
    draw_roff_section(out, "EXAMPLES", NULL);
    draw_roff_lines(out, "icpd --data /var/lib/icpd\n"
                         "icpd -c /etc/icpd/icpd.conf -t\n"
                         "icpd --port 0 --ports-file ports\n");
    draw_roff_section(out, "SEE ALSO", NULL);
    (void)fputs(".BR icp (1)\n", out);
}
